import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type AppendResult,
  type EventStore,
  type NewEvent,
  noStream,
  type RecordedEvent,
} from '../../src/engine/event-store.ts'
import type { EventStoreHarness } from './event-store-harness.ts'
import { follow, logOf, recordedOf, streamOf } from './log-readers.ts'
import { newEvent } from './new-event.ts'

/** What is appended to a stream: new events, or some that have been appended before. */
interface Append {
  /** How far the expected revision is from the actual one. */
  readonly offset: number
  readonly events: number
  /** Which of the stream's appends is repeated, if it has so many. */
  readonly repeat: number | undefined
}

/** Appends to several streams that are under way together, and what is read meanwhile. */
interface Step {
  readonly appends: readonly (readonly [stream: number, append: Append])[]
  readonly readFrom: number
  readonly subscribe: boolean
}

const append = fc.record<Append>({
  offset: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: -3, max: 2 })),
  events: fc.integer({ min: 1, max: 4 }),
  repeat: fc.option(fc.nat(5), { nil: undefined, freq: 3 }),
})
const step = fc.record<Step>({
  appends: fc.uniqueArray(fc.tuple(fc.nat(5), append), { maxLength: 6, selector: ([stream]) => stream }),
  readFrom: fc.nat(12),
  subscribe: fc.boolean(),
})

interface Known {
  readonly expectedRevision: number
  readonly events: readonly NewEvent[]
  readonly result: AppendResult
}

/** The simplest thing that a store could be: for each stream its events, and the appends that were accepted. */
interface ModelStream {
  readonly recorded: RecordedEvent[]
  readonly accepted: Known[]
}

/** Makes one append in the store, and compares its outcome with the model's. */
async function run(store: EventStore, name: string, model: ModelStream, asked: Append): Promise<void> {
  const known = asked.repeat === undefined ? undefined : model.accepted[asked.repeat]
  if (known !== undefined) {
    expect(await store.append(name, known.expectedRevision, known.events)).toEqual(known.result)
    return
  }
  const actualRevision = model.recorded.length - 1
  const expectedRevision = Math.max(noStream, actualRevision + asked.offset)
  const events = Array.from({ length: asked.events }, () => newEvent())
  if (expectedRevision !== actualRevision) {
    const error = await store.append(name, expectedRevision, events).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'ConflictError', stream: name, expectedRevision, actualRevision })
    return
  }
  const result = await store.append(name, expectedRevision, events)
  expect(result.revision).toBe(actualRevision + events.length)
  model.recorded.push(...recordedOf(name, expectedRevision, events, result))
  model.accepted.push({ expectedRevision, events, result })
}

/** Defines the comparison with a model. */
export function modelContract({ open, propertyRuns }: EventStoreHarness): void {
  describe('any course of appends and reads', () => {
    test('has the outcome that a list of lists would have', async () => {
      const store = await open(6)
      let runs = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const { position: after } = await store.head()
          const number = runs++
          const model = ['cart', 'order', 'cart', 'order', 'cart', 'order'].map((category, place) => ({
            name: `${category}-${number}-${place}`,
            recorded: [],
            accepted: [],
          }))
          const followers = [follow(store, { after, batchSize: 2 })]
          for (const { appends, readFrom, subscribe } of steps) {
            const running = appends.map(async ([place, asked]) => {
              const stream = model[place]
              if (stream !== undefined) await run(store, stream.name, stream, asked)
            })
            if (subscribe) followers.push(follow(store, { after, filter: { categories: new Set(['cart']) } }))
            const reads = model.map(async ({ name, recorded }) => {
              const before: readonly RecordedEvent[] = [...recorded]
              const read = await streamOf(store, name, readFrom)
              // What is under way may be there or not, but what was answered is.
              expect(read.slice(0, Math.max(0, before.length - readFrom))).toEqual(before.slice(readFrom))
            })
            await Promise.all([...running, ...reads])
          }
          const log = model
            .flatMap(({ recorded }): readonly RecordedEvent[] => recorded)
            .sort((left, right) => left.position - right.position)
          expect(await logOf(store, after)).toEqual(log)
          for (const [index, follower] of followers.entries()) {
            await follower.reached(log.at(-1)?.position ?? after)
            expect(follower.events).toEqual(index === 0 ? log : log.filter(({ stream }) => stream.startsWith('cart-')))
            await follower.stop()
          }
        }),
        { numRuns: propertyRuns },
      )
    })
  })
}
