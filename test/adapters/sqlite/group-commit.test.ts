import { setImmediate as turn } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { groupCommit } from '../../../src/adapters/sqlite/group-commit.ts'
import { liveTail } from '../../../src/adapters/sqlite/live-tail.ts'
import type { Failed, Group, GroupAnswer } from '../../../src/adapters/sqlite/log-group.ts'
import { maxAppendBytes, noStream } from '../../../src/engine/event-store.ts'
import { eventOfBytes, newEvents } from '../../contract/new-event.ts'

/** A writer that holds each group until it is told the outcome. @param tookMs how long it says that a group took */
function heldWriter(tookMs: number) {
  const groups: Group[] = []
  const answers: ((answer: GroupAnswer) => void)[] = []
  let position = 0
  let closed = false
  return {
    groups,
    isClosed: () => closed,
    writer: {
      write(group: Group): Promise<GroupAnswer> {
        groups.push(group)
        return new Promise((resolve) => answers.push(resolve))
      },
      async close() {
        closed = true
      },
    },
    /** Answers the group that is under way as if everything had been written. */
    async written(): Promise<void> {
      await turn()
      const firstPositions = groups[groups.length - answers.length]?.streams.map(() => ++position) ?? []
      answers.shift()?.({ kind: 'written', firstPositions, repeated: [], conflicts: [], tookMs })
      await turn() // in which those who were answered go on
      await turn()
    },
    async failed(outcome: Failed['outcome']): Promise<void> {
      await turn()
      answers.shift()?.({ kind: 'failed', outcome, message: 'no luck' })
      await turn()
    },
  }
}

const slowMs = 10

interface Given {
  readonly tookMs?: number
  readonly maxQueuedAppends?: number
  readonly maxQueuedBytes?: number
  readonly checkpointDelayMs?: number
}

function given({ tookMs = slowMs, ...limits }: Given = {}) {
  const { groups, isClosed, writer, written, failed } = heldWriter(tookMs)
  const tail = liveTail(0, 100, 1_000_000)
  const commits = groupCommit({
    file: 'log.db',
    writer,
    tail,
    maxQueuedAppends: 1_000,
    maxQueuedBytes: 100_000_000,
    checkpointDelayMs: 3_600_000,
    ...limits,
  })
  const append = (stream: string) => commits.append(stream, noStream, newEvents(1))
  return { groups, isClosed, written, failed, tail, commits, append }
}

const place = (position: number) => ({ logId: 'a-log', position, eventId: `event ${position}` })

test('appends of one turn, and those that come while a group is under way, go together', async () => {
  const { append, written, groups } = given()
  const first = Array.from({ length: 10 }, (_, number) => append(`cart-${number}`))
  await turn()
  expect(groups.map(({ streams }) => streams.length)).toEqual([10])
  const second = Array.from({ length: 100 }, (_, number) => append(`order-${number}`))
  await turn()
  expect(groups).toHaveLength(1)
  await written()
  expect(await Promise.all(first)).toHaveLength(10)
  expect(groups.map(({ streams }) => streams.length)).toEqual([10, 100])
  await written()
  expect(await Promise.all(second)).toHaveLength(100)
})

test('while a quick disk writes a group, the next one follows when it is full, and no third', async () => {
  const { append, written, groups, tail } = given({ tookMs: 1 })
  const sizes = () => groups.map(({ streams }) => streams.length)
  const first = append('cart-1')
  await written()
  await first
  const appended = Array.from({ length: 200 }, (_, number) => append(`order-${number}`))
  await turn()
  expect(sizes()).toEqual([1, 64, 64])
  await written()
  expect(sizes()).toEqual([1, 64, 64])
  await written()
  await written()
  expect(sizes()).toEqual([1, 64, 64, 72])
  expect((await Promise.all(appended)).map(({ positions }) => positions)).toEqual(
    appended.map((_, place) => [place + 2]),
  )
  expect(tail.head()).toBe(201)
})

test('on a slow disk all that comes while a group is under way goes together', async () => {
  const { append, written, groups } = given()
  const first = append('cart-1')
  await written()
  await first
  const appended = Array.from({ length: 200 }, (_, number) => append(`order-${number}`))
  await written()
  expect(await Promise.all(appended)).toHaveLength(200)
  expect(groups.map(({ streams }) => streams.length)).toEqual([1, 200])
})

test('nobody is answered, and no subscriber told, before the writer has answered', async () => {
  const { append, written, groups, tail } = given()
  let answered = false
  const appended = append('cart-1').then(() => {
    answered = true
  })
  await turn()
  await turn()
  expect([groups.length, answered, tail.after(0, 5)]).toEqual([1, false, []])
  await written()
  await appended
  expect(tail.after(0, 5)).toHaveLength(1)
})

test('a group is bounded in bytes', async () => {
  const { commits, written, groups } = given()
  const appends = Array.from({ length: 10 }, (_, number) =>
    commits.append(`cart-${number}`, noStream, [eventOfBytes(maxAppendBytes)]),
  )
  await written()
  await written()
  expect(groups.map(({ streams }) => streams.length)).toEqual([8, 2])
  await Promise.all(appends)
})

test('more appends than the bound are refused, until others are answered', async () => {
  const { append, written } = given({ maxQueuedAppends: 3 })
  const taken = [append('cart-1'), append('cart-2')]
  await turn()
  taken.push(append('cart-3'))
  await expect(append('cart-4')).rejects.toMatchObject({ name: 'UnavailableError', code: 'log-busy' })
  await written()
  const fourth = append('cart-4')
  await written()
  await written()
  await Promise.all([...taken, fourth])
})

test('more bytes than the bound are refused, until others are answered', async () => {
  const { commits, append, written, failed } = given({ maxQueuedBytes: 1_000_000 })
  const large = commits.append('cart-1', noStream, [eventOfBytes(999_900)])
  await expect(append('cart-2')).rejects.toMatchObject({ code: 'log-busy' })
  await Promise.all([expect(large).rejects.toThrow(), failed('not-written')])
  const second = append('cart-2')
  await written()
  await second
})

test.each([
  ['not-written', { name: 'UnavailableError', code: 'log-unavailable' }],
  ['in-doubt', { name: 'InDoubtError' }],
  ['corrupt', { name: 'CorruptLogError' }],
] as const)('a group that is %s fails whole, and the next goes on', async (outcome, error) => {
  const { append, failed, written } = given()
  const appends = [append('cart-1'), append('cart-2')]
  const refused = appends.map((appended) => expect(appended).rejects.toMatchObject(error))
  await failed(outcome)
  await Promise.all(refused)
  const next = append('cart-1')
  await written()
  await expect(next).resolves.toEqual({ revision: 0, positions: [1] })
})

test('only what is in doubt sends subscribers to the store', async () => {
  const { append, failed, tail } = given()
  for (const [outcome, found] of [
    ['not-written', []],
    ['in-doubt', undefined],
  ] as const) {
    const refused = expect(append('cart-1')).rejects.toThrow()
    await failed(outcome)
    await refused
    expect(tail.after(0, 5)).toEqual(found)
  }
})

test('checkpoints go with the next group, the latest of each name', async () => {
  const { commits, append, written, groups } = given()
  const first = append('cart-1')
  commits.saveCheckpoint('refund', place(1))
  await turn()
  for (const position of [2, 3]) commits.saveCheckpoint('refund', place(position))
  commits.saveCheckpoint('fulfilOrder', place(9))
  const second = append('cart-2')
  await written()
  await written()
  await Promise.all([first, second])
  expect(groups.map(({ checkpoints }) => checkpoints)).toEqual([
    [{ name: 'refund', checkpoint: place(1) }],
    [
      { name: 'refund', checkpoint: place(3) },
      { name: 'fulfilOrder', checkpoint: place(9) },
    ],
  ])
})

test('checkpoints of a group that failed go with the next one, unless they are newer there', async () => {
  const { commits, append, failed, written, groups } = given()
  commits.saveCheckpoint('refund', place(1))
  commits.saveCheckpoint('fulfilOrder', place(1))
  const refused = expect(append('cart-1')).rejects.toThrow()
  await turn()
  commits.saveCheckpoint('refund', place(2))
  await failed('not-written')
  await refused
  const next = append('cart-1')
  await written()
  await next
  expect(groups[1]?.checkpoints).toEqual([
    { name: 'refund', checkpoint: place(2) },
    { name: 'fulfilOrder', checkpoint: place(1) },
  ])
})

test('closing waits for what is under way, then writes the last checkpoints', async () => {
  const { commits, append, written, groups, isClosed } = given()
  const appended = append('cart-1')
  await turn()
  commits.saveCheckpoint('refund', place(1))
  const closed = commits.close()
  await written()
  await appended
  expect(isClosed()).toBe(false)
  await written()
  await closed
  expect(isClosed()).toBe(true)
  expect(groups.map(({ streams, checkpoints }) => [streams.length, checkpoints.length])).toEqual([
    [1, 0],
    [0, 1],
  ])
})

test('a checkpoint that becomes due while a group is written is written when that is done', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => {
    vi.useRealTimers()
  })
  const checkpointDelayMs = 1_000
  const { commits, append, written, groups } = given({ tookMs: 1, checkpointDelayMs })
  const first = append('cart-1')
  await written()
  await first
  const appended = Array.from({ length: 128 }, (_, number) => append(`order-${number}`))
  commits.saveCheckpoint('refund', place(1))
  // The first of two groups that are under way is done, which sets the timer; it fires while the other is written.
  await written()
  vi.advanceTimersByTime(checkpointDelayMs)
  await written()
  await Promise.all(appended)
  expect(groups.slice(3).map(({ checkpoints }) => checkpoints)).toEqual([[{ name: 'refund', checkpoint: place(1) }]])
  await written()
  // And the next one has a timer of its own.
  commits.saveCheckpoint('refund', place(2))
  vi.advanceTimersByTime(checkpointDelayMs)
  await written()
  expect(groups.slice(4).map(({ checkpoints }) => checkpoints)).toEqual([[{ name: 'refund', checkpoint: place(2) }]])
})
