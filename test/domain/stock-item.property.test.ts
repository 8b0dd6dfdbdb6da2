import fc from 'fast-check'
import { expect, test } from 'vitest'
import { available, type StockItem, stockItem, type stockItemCommands } from '../../src/domain/stock-item.ts'
import { Rejection } from '../../src/engine/errors.ts'
import type { EventData } from '../../src/engine/event-store.ts'
import type { DomainEvent } from '../../src/engine/events.ts'

interface Sent {
  readonly type: string
  readonly data: EventData
  /** How many commands later it is sent a second time; never, if absent. */
  readonly againAfter?: number
}

const quantity = fc.integer({ min: 1, max: 12 })
const reservationId = fc.integer({ min: 1, max: 8 }).map((number) => `order-${number}`)
const commandOf = {
  ReceiveStock: fc.record({ quantity, reference: fc.uuid() }),
  AdjustStock: fc.record({
    change: fc.integer({ min: -9, max: 9 }),
    reason: fc.constant('Counted'),
    reference: fc.uuid(),
  }),
  ReserveStock: fc.record({ reservationId, quantity }),
  ReleaseReservation: fc.record({ reservationId }),
  CommitReservation: fc.record({ reservationId, quantity, reference: fc.uuid() }),
} satisfies Record<keyof typeof stockItemCommands, fc.Arbitrary<EventData>>

const sent: fc.Arbitrary<Sent> = fc
  .oneof(...Object.entries(commandOf).map(([type, data]) => fc.record({ type: fc.constant(type), data })))
  .chain((command) =>
    fc.option(fc.nat(5), { nil: undefined }).map((againAfter) => ({
      ...command,
      ...(againAfter !== undefined && { againAfter }),
    })),
  )

/** The order in which the commands arrive, those sent twice among them. */
function arrivals(commands: readonly Sent[]): readonly Sent[] {
  return commands
    .flatMap((command, place) => [
      { command, place },
      ...(command.againAfter === undefined ? [] : [{ command, place: place + command.againAfter + 0.5 }]),
    ])
    .sort((one, other) => one.place - other.place)
    .map(({ command }) => command)
}

function decide(item: StockItem, { type, data }: Sent): readonly DomainEvent[] {
  const context = {
    id: 'TEAPOT-BLUE',
    at: '2026-01-15T09:30:00.000Z',
    actor: { kind: 'process', id: 'fulfil-order' },
    imported: false,
    facts: {},
  } as const
  try {
    return stockItem.decisions.get(type)?.decide(data, item, context) ?? []
  } catch (error) {
    if (error instanceof Rejection) return []
    throw error
  }
}

function numberOf(event: DomainEvent, field: string): number {
  const value = event.data[field]
  return typeof value === 'number' ? value : 0
}

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, number) => total + number, 0)

/** On hand as the events alone tell it. */
function onHandBy(events: readonly DomainEvent[]): number {
  const of = (type: string, field: string) =>
    sum(events.filter((event) => event.type === type).map((event) => numberOf(event, field)))
  return of('StockReceived', 'quantity') + of('StockAdjusted', 'change') - of('ReservationCommitted', 'quantity')
}

test('whatever is asked, in whatever order and twice: nothing is oversold and every piece is accounted for', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 80 }), (commands) => {
      let item = stockItem.initial
      const log: DomainEvent[] = []
      const movements = new Map<string, number>()
      for (const command of arrivals(commands)) {
        const events = decide(item, command)
        expect(events.length).toBeLessThanOrEqual(1)
        for (const event of events) {
          item = stockItem.evolve(item, event)
          log.push(event)
          // By the business reference of an additive command, or by the reservation: each took effect once at most.
          const { reference, reservationId: id } = event.data
          const name = `${event.type} ${reference ?? id}`
          movements.set(name, (movements.get(name) ?? 0) + 1)
        }
        expect(available(item)).toBeGreaterThanOrEqual(0)
        expect(item.onHand).toBe(onHandBy(log))
        expect(item.reserved).toBe(sum(item.open.valueSeq().map((reservation) => reservation.quantity)))
        expect(item.open.every((reservation) => reservation.quantity > 0)).toBe(true)
      }
      expect([...movements.values()].every((times) => times === 1)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('a snapshot at any moment leads to the same decisions', () => {
  fc.assert(
    fc.property(fc.array(sent, { maxLength: 60 }), fc.nat(60), (commands, moment) => {
      let whole = stockItem.initial
      let resumed = stockItem.initial
      for (const [number, command] of arrivals(commands).entries()) {
        if (number === moment && stockItem.snapshot) {
          resumed = stockItem.snapshot.load(JSON.parse(JSON.stringify(stockItem.snapshot.save(resumed))))
        }
        const events = decide(whole, command)
        expect(decide(resumed, command)).toStrictEqual(events)
        whole = events.reduce((item, event) => stockItem.evolve(item, event), whole)
        resumed = events.reduce((item, event) => stockItem.evolve(item, event), resumed)
      }
    }),
    { numRuns: 200 },
  )
})
