import { z } from 'zod'
import { type StockItem, stockItem, stockItemEvents } from '../../src/domain/stock-item.ts'
import { ask } from '../../src/engine/command.ts'
import { type Decider, decider } from '../../src/engine/decider.ts'
import type { Definitions } from '../../src/engine/engine.ts'
import { type DomainEvent, defineEvents, type EventOf, versioned } from '../../src/engine/events.ts'
import { processManager } from '../../src/engine/process-manager.ts'
import { collection, projection } from '../../src/engine/projection.ts'
import { idOf } from '../../src/engine/streams.ts'
import { forReading } from '../../src/shop.ts'

const presentShop = forReading([])

/**
 * The shop as a next release could have it: an event with a field more, which older ones get from an upcaster, and an aggregate,
 * a read model and a process that use it.
 */

const Adjusted = stockItemEvents.schemas.StockAdjusted

/** An adjustment that comes of a count is told from others since this version. */
const nextStockItemEvents = defineEvents('stockItem', {
  ...stockItemEvents.schemas,
  StockAdjusted: versioned(Adjusted.extend({ counted: z.boolean() }), [
    (data) => ({ ...data, counted: data.reason === 'Counted' }),
  ]),
})

export interface NextStockItem extends StockItem {
  readonly counts: number
}

function wasCounted({ type, data }: DomainEvent): boolean {
  if (type !== 'StockAdjusted') return false
  // What was written before has the field, too: an upcaster has seen it.
  return z.object({ counted: z.boolean() }).parse(data).counted
}

const { snapshot, decisions, ...present } = stockItem

export const nextStockItem: Decider<NextStockItem, typeof stockItem.commands> = {
  ...present,
  events: nextStockItemEvents,
  initial: { ...present.initial, counts: 0 },
  evolve: (state, event) => ({
    ...present.evolve(state, event),
    counts: state.counts + Number(wasCounted(event)),
  }),
  decisions: new Map(
    Array.from(decisions, ([type, decision]) => [
      type,
      {
        ...decision,
        decide: (...args) =>
          decision
            .decide(...args)
            .map((event) =>
              event.type === 'StockAdjusted'
                ? { ...event, data: { ...event.data, counted: event.data.reason === 'Counted' } }
                : event,
            ),
      },
    ]),
  ),
  ...(snapshot && {
    snapshot: {
      ...snapshot,
      version: snapshot.version + 1,
      save: ({ counts, ...item }) => ({ counts, item: snapshot.save(item) }),
      load(saved) {
        const { counts, item } = z.object({ counts: z.int(), item: z.unknown() }).parse(saved)
        return { ...snapshot.load(item), counts }
      },
    },
  }),
}

const Count = z.object({ sku: z.string(), counts: z.int() })
export const counts = collection('counts', Count, {})

const stockCounts = projection({
  name: 'stock-counts',
  version: 1,
  collections: [counts],
  from: [nextStockItemEvents],
  on: {
    StockAdjusted: ({ data: { sku, counted } }) =>
      counts.change(sku, (before) => ({ sku, counts: (before?.counts ?? 0) + Number(counted) })),
  },
})

const countNoteEvents = defineEvents('countNote', { CountNoted: z.object({ counts: z.int() }) })
type CountNoteEvent = EventOf<typeof countNoteEvents>

export const countNote = decider({
  events: countNoteEvents,
  commands: { NoteCount: z.strictObject({ counts: z.int() }) },
  initial: { counts: 0 },
  evolve: (_state, { data }: CountNoteEvent) => data,
  decide: { NoteCount: ({ counts: found }): CountNoteEvent[] => [{ type: 'CountNoted', data: { counts: found } }] },
})

/** Notes every hundredth count. */
const noteCounts = processManager({
  name: 'note-counts',
  of: nextStockItem,
  from: [nextStockItemEvents],
  route: ({ stream }) => idOf(stream),
  on: {
    StockAdjusted: ({ data: { counted, sku }, revision }) =>
      counted && revision % 100 === 0 ? [ask(countNote, sku, 'NoteCount', { counts: revision })] : [],
  },
})

export const nextDefinitions: Definitions = {
  aggregates: [...presentShop.aggregates.filter(({ category }) => category !== 'stockItem'), nextStockItem, countNote],
  projections: [
    ...presentShop.projections.map((each) =>
      each.name === 'stock-levels' ? { ...each, version: each.version + 1, goesOnFrom: each.version } : each,
    ),
    stockCounts,
  ],
  // The shop's own would go on with what was under way when the store was kept.
  processes: [noteCounts],
  jobs: presentShop.jobs,
}
