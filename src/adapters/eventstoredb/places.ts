import type { Checkpoint, RecordedEvent } from '../../engine/event-store.ts'
import { isNonsense } from './failures.ts'
import type { StoredEvent } from './read-answer.ts'
import { allBeforeRequest, allFromRequest } from './read-request.ts'
import type { Reader } from './reader.ts'
import { isVisible, recorded } from './stored-event.ts'

/** Where an event of the log is, and which one. */
export type Place = Pick<Checkpoint, 'position' | 'eventId'>

const beforeAll: Place = { position: 0, eventId: '' }

/** Finds places in the whole log, in which the server's and the adapter's own events don't count. */
export interface Places {
  /** The last event's; `beforeAll` for an empty log. */
  head(): Promise<Place>
  /** That of the last event before a position, unless many of the server's own come between. */
  justBefore(position: number): Promise<Place | undefined>
  /** The event at exactly this position. */
  eventAt(position: number): Promise<RecordedEvent | undefined>
}

/** What is read at first, for nearly always the event is among it, and at most at once. */
const fewEvents = 8
const manyEvents = 4_096

/** @param readTimeoutMs how long the server may be silent */
export function placesIn(reader: Reader, readTimeoutMs: number): Places {
  /** The newest event of any kind as the head was last looked for, and what was found. */
  let known: { readonly newest: number; readonly head: Place } | undefined

  /** The newest first. */
  async function* backwards(from: number | 'end'): AsyncGenerator<StoredEvent> {
    let before = from
    for (let count = fewEvents; ; count = Math.min(manyEvents, count * 8)) {
      const messages = await reader.read(allBeforeRequest(before, count))
      try {
        let found = 0
        for (;;) {
          const answer = messages.take()
          if (answer === undefined) {
            if (!(await messages.more(readTimeoutMs))) break
            continue
          }
          if (answer.kind !== 'event') continue
          found++
          before = answer.event.position
          yield answer.event
        }
        if (found < count) return
      } finally {
        messages.close(count === fewEvents)
      }
    }
  }

  async function firstAt(position: number): Promise<StoredEvent | undefined> {
    const messages = await reader.read(allFromRequest(position, 1))
    try {
      while (await messages.more(readTimeoutMs)) {
        const answer = messages.take()
        if (answer?.kind === 'event') return answer.event
      }
      return undefined
    } finally {
      messages.close(true)
    }
  }

  async function head(): Promise<Place> {
    let newest: number | undefined
    let found: Place | undefined
    for await (const { position, id, type } of backwards('end')) {
      newest ??= position
      // A log that ends earlier than before was restored: then nothing that is known of it holds.
      if (known !== undefined && newest < known.newest) known = undefined
      if (known !== undefined && position <= known.newest) found = known.head
      else if (isVisible(type)) found = { position, eventId: id }
      if (found !== undefined) break
    }
    const result = found ?? beforeAll
    if (newest !== undefined && (known === undefined || newest > known.newest)) known = { newest, head: result }
    return result
  }

  return {
    head,

    async justBefore(position) {
      let seen = 0
      for await (const { position: found, id, type } of backwards(position)) {
        if (isVisible(type)) return { position: found, eventId: id }
        if (++seen === fewEvents) break
      }
      return undefined
    },

    async eventAt(position) {
      if (!Number.isSafeInteger(position) || position <= 0) return undefined
      const stored = await firstAt(position).catch(async (error: unknown) => {
        // Between two events the server finds nonsense, and says no more than that.
        if (!isNonsense(error)) throw error
        await head()
        return undefined
      })
      if (stored === undefined || stored.position !== position || !isVisible(stored.type)) return undefined
      return recorded(stored)
    },
  }
}
