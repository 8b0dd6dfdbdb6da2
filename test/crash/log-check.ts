import { expect } from 'vitest'
import { positionTokens } from '../../src/api/position-token.ts'
import { type Order, order } from '../../src/domain/order/order.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import type { Payment } from '../../src/domain/payment/state.ts'
import { available, type StockItem, stockItem } from '../../src/domain/stock-item.ts'
import type { Decider } from '../../src/engine/decider.ts'
import type { EventData, EventStore, RecordedEvent } from '../../src/engine/event-store.ts'
import type { EventRegistry, Recorded } from '../../src/engine/events.ts'
import { categoryOf, idOf, streamName } from '../../src/engine/streams.ts'
import type { AcceptedCommand, Journal } from './journal.ts'
import { soldSkus } from './load.ts'

/** What a log tells, folded from nothing. */
export interface Books {
  readonly orders: ReadonlyMap<string, Order>
  readonly payments: ReadonlyMap<string, Payment>
  readonly stockItems: ReadonlyMap<string, StockItem>
  /** Data of the events of stock items, in order. */
  readonly stockMovements: readonly { readonly type: string; readonly data: EventData }[]
  /** Ids of the orders that carts were checked out to. */
  readonly checkedOut: readonly string[]
  /** Ids of the orders that were placed in this shop, not imported. */
  readonly placed: readonly string[]
}

/** An event as far as the journal is concerned. */
interface Trace {
  readonly commandId: string
  readonly type: string
  readonly position: number
  readonly isOfPerson: boolean
}

/** Folds one more event of a stream, and keeps what it has come to. */
function foldOn<State>(
  states: Map<string, State>,
  { initial, evolve }: Pick<Decider<State>, 'initial' | 'evolve'>,
  { stream, type, data }: Recorded,
): State {
  const next = evolve(states.get(idOf(stream)) ?? initial, { type, data })
  states.set(idOf(stream), next)
  return next
}

/**
 * Looks up in the log what was accepted last. Sent again before, what was lost would come back and never be missed.
 * @param store the log, which a server may have open
 */
export async function checkKept(store: EventStore, accepted: readonly AcceptedCommand[]): Promise<void> {
  const { positionOf } = positionTokens(store.logId)
  for (const { command, answer } of accepted) {
    const { id, revision, position } = answer
    const stream = streamName(command.category, id)
    const what = `${command.path} (${command.key}), which was accepted`
    let found: RecordedEvent | undefined
    for await (const [first] of store.readStream(stream, { fromRevision: revision })) {
      found = first
      break
    }
    expect(found, what).toMatchObject({ stream, revision })
    const at = await store.eventAt(positionOf(position))
    // Who waited for the outcome was told the position of that.
    if (command.waitS === undefined) expect(at, what).toEqual(found)
    else expect(at, what).toBeDefined()
  }
}

/**
 * Reads a log from its first event to its last: that it is whole, that everything that was accepted is in it, once,
 * where the answer said, and that nobody did anything that was not asked for.
 * @param store a log that nobody writes
 * @param journal undefined while commands are in doubt: then only the log itself is read
 */
export async function checkLog(
  store: EventStore,
  { upcast }: EventRegistry,
  journal: Journal | undefined,
): Promise<Books> {
  const streams = new Map<string, Trace[]>()
  const eventIds = new Set<string>()
  const commands = new Set<string>()
  const orders = new Map<string, Order>()
  const payments = new Map<string, Payment>()
  const stockItems = new Map<string, StockItem>()
  const stockMovements: { readonly type: string; readonly data: EventData }[] = []
  const checkedOut: string[] = []
  const placed: string[] = []
  let last = 0
  for await (const { events } of store.readAll({ after: 0 })) {
    for (const stored of events) {
      const { stream, revision, position, id, type, metadata } = stored
      expect(position).toBeGreaterThan(last)
      last = position
      expect(eventIds.has(id), `event ${id} of ${stream} is there once`).toBe(false)
      eventIds.add(id)
      const traces = streams.get(stream) ?? []
      expect(revision, `revision of ${stream}`).toBe(traces.length)
      if (traces.at(-1)?.commandId !== metadata.commandId) {
        const command = `${metadata.commandId} ${stream}`
        expect(commands.has(command), `${command} took effect once`).toBe(false)
        commands.add(command)
      }
      const isOfPerson = !metadata.imported && ['staff', 'guest', 'customer'].includes(metadata.actor.kind)
      traces.push({ commandId: metadata.commandId, type, position, isOfPerson })
      streams.set(stream, traces)

      const event = upcast(stored)
      const category = categoryOf(stream)
      if (category === order.category) foldOn(orders, order, event)
      if (category === payment.category) foldOn(payments, payment, event)
      if (category === stockItem.category) {
        const item = foldOn(stockItems, stockItem, event)
        expect(available(item), `${stream} is never oversold`).toBeGreaterThanOrEqual(0)
        stockMovements.push({ type, data: event.data })
      }
      if (type === 'CartCheckedOut') checkedOut.push(String(event.data.orderId))
      if (type === 'OrderPlaced' && !metadata.imported) placed.push(idOf(stream))
    }
  }
  if (journal) checkJournal(journal, streams, store.logId)
  return { orders, payments, stockItems, stockMovements, checkedOut, placed }
}

/** The events of one command, the last of which is at a revision. */
function ownEvents(traces: readonly Trace[], revision: number): readonly Trace[] {
  const { commandId } = traces[revision] ?? {}
  const before = traces.findLastIndex((trace, index) => index < revision && trace.commandId !== commandId)
  return traces.slice(before + 1, revision + 1)
}

/** What was accepted is there, once, and what is there was accepted. */
function checkJournal(journal: Journal, streams: ReadonlyMap<string, readonly Trace[]>, logId: string): void {
  const { positionOf } = positionTokens(logId)
  const commandIds = new Set<string>()
  const touched = new Set<string>()
  for (const { command, answer } of journal.all) {
    const stream = streamName(command.category, answer.id)
    const traces = streams.get(stream) ?? []
    const last = traces[answer.revision]
    const what = `${command.path} (${command.key})`
    if (last === undefined) throw new Error(`${what} was accepted, and ${stream} has no revision ${answer.revision}`)
    const own = ownEvents(traces, answer.revision)
    if (command.mayFindItDone && !own.some(({ type }) => type === command.causes)) continue
    const types = own.map(({ type }) => type)
    expect(types, what).toContain(command.causes)
    expect(traces[answer.revision + 1]?.commandId, `${what} ends where it was told`).not.toBe(last.commandId)
    // Who waited for the outcome was told the position of that.
    if (command.waitS === undefined) expect(positionOf(answer.position), what).toBe(last.position)
    expect(commandIds.has(last.commandId), `${what} took effect by itself`).toBe(false)
    commandIds.add(last.commandId)
    touched.add(stream)
  }
  expect(journal.underWay(), 'every command has its answer').toBe(0)
  for (const stream of touched) {
    const strangers = streams
      .get(stream)
      ?.filter(({ isOfPerson, commandId }) => isOfPerson && !commandIds.has(commandId))
    expect(strangers, `${stream} has nothing that nobody asked for`).toEqual([])
  }
  expect(soldSkus.every((sku) => touched.has(streamName('stockItem', sku)))).toBe(true)
  expect(new Set([...touched].map(categoryOf))).toEqual(
    new Set(['taxRates', 'shippingMethod', 'product', 'stockItem', 'cart', 'order', 'customer']),
  )
}
