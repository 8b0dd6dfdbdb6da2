import { z } from 'zod'
import { Id } from '../../../src/domain/values.ts'
import { staff } from '../../../src/engine/access.ts'
import { command } from '../../../src/engine/command-definition.ts'
import { decider } from '../../../src/engine/decider.ts'
import { defineEvents, type EventOf } from '../../../src/engine/events.ts'
import { collection, projection } from '../../../src/engine/projection.ts'
import { documentQuery } from '../../../src/engine/query-definition.ts'
import { idOf } from '../../../src/engine/streams.ts'
import type { Extension } from '../../../src/extension.ts'
import * as present from '../../../src/shop.ts'

/** The shop as a next version could have it: with a new event, a read model of it, and another one made anew. */

const Text = z.string().max(200).meta({ description: 'What is written on it', example: 'Many happy returns' })

const giftNoteEvents = defineEvents('giftNote', { GiftNoteWritten: z.object({ text: Text }) })
type GiftNoteEvent = EventOf<typeof giftNoteEvents>

const giftNote = decider({
  events: giftNoteEvents,
  commands: { WriteGiftNote: z.strictObject({ text: Text }) },
  initial: { text: '' },
  evolve: (_state, { data: { text } }: GiftNoteEvent) => ({ text }),
  decide: {
    WriteGiftNote: ({ text }, state): GiftNoteEvent[] =>
      state.text === text ? [] : [{ type: 'GiftNoteWritten', data: { text } }],
  },
})

const writeGiftNote = command({
  name: 'writeGiftNote',
  route: 'PUT /v1/gift-notes/{note}',
  summary: 'Write a note for a gift',
  who: staff('orders'),
  target: giftNote,
  type: 'WriteGiftNote',
})

const notes = collection('notes', z.object({ id: Id, text: Text }), {})

const giftNotes = projection({
  name: 'gift-notes',
  version: 1,
  collections: [notes],
  from: [giftNoteEvents],
  on: {
    GiftNoteWritten: ({ stream, data: { text } }) => notes.change(idOf(stream), () => ({ id: idOf(stream), text })),
  },
})

const getGiftNote = documentQuery({
  name: 'getGiftNote',
  route: 'GET /v1/gift-notes/{note}',
  summary: 'A note for a gift',
  who: staff('orders'),
  from: giftNotes,
  of: notes,
  parameters: z.object({ note: Id }),
  id: ({ note }) => note,
})

function next(shop: present.Shop): present.Shop {
  return {
    ...shop,
    aggregates: [...shop.aggregates, giftNote],
    commands: [...shop.commands, writeGiftNote],
    projections: [
      ...shop.projections.map((each) => (each.name === 'stock-levels' ? { ...each, version: each.version + 1 } : each)),
      giftNotes,
    ],
    queries: [...shop.queries, getGiftNote],
  }
}

export function shop(surroundings: present.Surroundings, extensions?: readonly Extension[]): present.Shop {
  return next(present.shop(surroundings, extensions))
}

export function forReading(extensions: readonly Extension[]): present.Shop {
  return next(present.forReading(extensions))
}
