import { UnavailableError } from '../engine/errors.ts'

const maxWaiting = 200

/**
 * Lets those who want the same key take turns, in the order in which they come.
 * @returns runs a function while it holds all of the keys; it throws UnavailableError when too many wait for one
 */
export function keyedLock(): <T>(keys: readonly string[], run: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, { last: Promise<void>; length: number }>()

  function enter(key: string, done: Promise<void>): Promise<void> {
    const queue = queues.get(key) ?? { last: Promise.resolve(), length: 0 }
    queues.set(key, queue)
    const before = queue.last
    queue.length++
    queue.last = before
      .then(() => done)
      .then(() => {
        queue.length--
        if (queue.length === 0) queues.delete(key)
      })
    return before
  }

  return async (keys, run) => {
    if (keys.some((key) => (queues.get(key)?.length ?? 0) >= maxWaiting)) {
      throw new UnavailableError('busy', 'Too many requests want the same value. Try again.')
    }
    const { promise: done, resolve: leave } = Promise.withResolvers<void>()
    try {
      // All queues are entered at once, in one turn, so that nobody can wait for each other in a circle.
      await Promise.all(keys.map((key) => enter(key, done)))
      return await run()
    } finally {
      leave()
    }
  }
}
