import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Clock, pause } from '../../engine/clock.ts'
import { UnavailableError } from '../../engine/errors.ts'
import { matches } from '../../engine/event-filter.ts'
import type { EventBatch, EventFilter, RecordedEvent } from '../../engine/event-store.ts'
import { readFailure } from './failures.ts'
import type { Place, Places } from './places.ts'
import type { ReadAnswer, StoredEvent } from './read-answer.ts'
import { subscriptionRequest } from './read-request.ts'
import type { Reader } from './reader.ts'
import { serverFilter } from './server-filter.ts'
import { isVisible, recorded } from './stored-event.ts'

/** Reading the whole log. Both ways rest on the server's subscriptions, for its reads know no filter. */

export interface ScanOptions {
  readonly reader: Reader
  readonly places: Places
  readonly clock: Clock
  /** How long the server may be silent where it has something to say. */
  readonly readTimeoutMs: number
  /** Position of the newest event that this process knows of. */
  readonly newestKnown: () => number
  /** Told when a read breaks off and is taken up again. */
  readonly onFailure: (error: unknown) => void
}

export interface Wanted {
  readonly after: number
  readonly filter?: EventFilter | undefined
  readonly batchSize: number
  readonly signal?: AbortSignal | undefined
}

/** Of readers who wait for an end; others never give up. */
const maxFailures = 5
/** A batch that has passed over so many events ends, so that its reader knows how far it is. */
const maxPassedOver = 5_000

/** Reads the log up to its head. @throws UnavailableError when the server has failed several times in a row */
export function scan(options: ScanOptions, wanted: Wanted): AsyncGenerator<EventBatch> {
  return resumed(options, wanted, maxFailures, (after) => upToHead(options, { ...wanted, after }))
}

/**
 * Reads the log, then what is appended, until the signal is aborted. What the server filters says seldom how far it has
 * come, so that from the head on all events come, and are filtered here.
 * @throws UnavailableError when the store closes
 */
export function follow(options: ScanOptions, wanted: Wanted): AsyncGenerator<EventBatch> {
  return resumed(options, wanted, Infinity, async function* (after) {
    let position = after
    if (serverFilter(wanted.filter) !== 'everything') {
      for await (const batch of upToHead(options, { ...wanted, after })) {
        yield batch
        position = batch.position
      }
    }
    if (!wanted.signal?.aborted) yield* live(options, { ...wanted, after: position })
  })
}

/** Takes up a read that broke off, behind the last batch that was taken. */
async function* resumed(
  { clock, onFailure }: ScanOptions,
  { after, signal }: Wanted,
  mostFailures: number,
  read: (after: number) => AsyncIterable<EventBatch>,
): AsyncGenerator<EventBatch> {
  let position = after
  for (let failures = 0; !signal?.aborted; ) {
    try {
      for await (const batch of read(position)) {
        if (signal?.aborted) return
        failures = 0
        yield batch
        position = batch.position
      }
      return
    } catch (error) {
      const isPassing = error instanceof UnavailableError && error.code === 'log-unavailable'
      if (!isPassing || ++failures > mostFailures) throw error
      onFailure(error)
      await pause(clock, Math.min(5_000, 2.5 * 4 ** failures), signal)
    }
  }
}

async function* upToHead(options: ScanOptions, wanted: Wanted): AsyncGenerator<EventBatch> {
  const { places } = options
  let position = wanted.after
  for (;;) {
    const head = await places.head()
    if (head.position <= position || wanted.signal?.aborted) return
    for await (const batch of upTo(head, options, { ...wanted, after: position })) {
      yield batch
      position = batch.position
    }
  }
}

/** Reads up to a place that is in the log; what came after it may be among the last batch. */
async function* upTo(end: Place, options: ScanOptions, wanted: Wanted): AsyncGenerator<EventBatch> {
  const { reader, places, readTimeoutMs } = options
  const { after, filter, batchSize, signal } = wanted
  let events: RecordedEvent[] = []
  /** Everything up to here is in what was read. */
  let passed: Place = { position: after, eventId: '' }

  async function isHead({ position }: Place): Promise<boolean> {
    return (await places.head()).position <= position
  }

  const filtered = serverFilter(filter)
  if (filtered === 'nothing') {
    yield { events, ...end, caughtUp: await isHead(end) }
    return
  }
  const messages = await reader.read(
    subscriptionRequest(after, filtered === 'everything' ? undefined : filtered),
    signal,
  )
  try {
    for (;;) {
      const answer = messages.take()
      if (answer === undefined) {
        if (await messages.more(readTimeoutMs)) continue
        if (signal?.aborted) return
        throw brokenOff()
      }
      if (answer.kind === 'event') {
        const { event } = answer
        if (isVisible(event.type)) {
          passed = placeOf(event)
          if (matches(filter, event)) events.push(recorded(event))
        }
        if (event.position >= end.position) break
        if (events.length < batchSize) continue
      } else if (answer.kind === 'caught-up') {
        break
      } else if (answer.kind === 'checkpoint') {
        if (answer.position >= end.position) break
        passed = later(passed, (await places.justBefore(answer.position)) ?? passed)
      } else continue
      if (passed.position > after) yield { events, ...passed, caughtUp: false }
      events = []
    }
  } finally {
    messages.close()
  }
  const last = later(passed, end)
  yield { events, ...last, caughtUp: await isHead(last) }
}

/** Reads all events of the log, and then those that are appended. */
async function* live(options: ScanOptions, wanted: Wanted): AsyncGenerator<EventBatch> {
  const { reader, readTimeoutMs, newestKnown } = options
  const { after, filter, batchSize, signal } = wanted
  let events: RecordedEvent[] = []
  let passed: Place | undefined
  let passedOver = 0
  /** The server has nothing more that is stored. */
  let isLive = false
  /** An answer that was looked at too early. */
  let held: ReadAnswer | undefined
  const messages = await reader.read(subscriptionRequest(after, undefined), signal)

  /** @returns false when the signal was aborted */
  async function wait(): Promise<boolean> {
    // Where nothing is stored any more, silence says nothing; a server that is gone is noticed by the connection's own pings.
    if (await messages.more(isLive ? undefined : readTimeoutMs)) return true
    if (signal?.aborted) return false
    throw brokenOff()
  }

  function take(): ReadAnswer | undefined {
    const answer = held ?? messages.take()
    held = undefined
    if (answer?.kind === 'caught-up') isLive = true
    if (answer?.kind === 'fell-behind') isLive = false
    return answer
  }

  /** Whether nothing visible follows what was taken; of what is stored that is known only by the next answer. */
  async function isEnd(): Promise<boolean> {
    for (;;) {
      const answer = take()
      if (answer?.kind === 'event' && isVisible(answer.event.type)) {
        held = answer
        return false
      }
      if (answer !== undefined) continue
      if (!isLive) {
        if (!(await wait())) return false
        continue
      }
      // What was appended together arrives together.
      await nextTurn()
      held = messages.take()
      if (held === undefined) return true
    }
  }

  try {
    while (!signal?.aborted) {
      const answer = take()
      if (answer?.kind === 'event' && isVisible(answer.event.type)) {
        passed = placeOf(answer.event)
        passedOver++
        if (matches(filter, answer.event)) events.push(recorded(answer.event))
      }
      const isFull = events.length >= batchSize || passedOver >= maxPassedOver
      if (answer !== undefined && !isFull) continue
      if (passed === undefined || !(isFull || isLive)) {
        if (!(await wait())) return
        continue
      }
      const isAtEnd = await isEnd()
      if (!(isFull || isAtEnd)) continue
      yield { events, ...passed, caughtUp: isAtEnd && passed.position >= newestKnown() }
      events = []
      passed = undefined
      passedOver = 0
    }
  } finally {
    messages.close()
  }
}

function placeOf({ position, id }: StoredEvent): Place {
  return { position, eventId: id }
}

function later(left: Place, right: Place): Place {
  return left.position >= right.position ? left : right
}

function brokenOff(): Error {
  return readFailure(new Error('The server ended a subscription'))
}
