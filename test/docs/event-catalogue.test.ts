import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { eventCatalogue } from '../../src/cli/event-catalogue.ts'
import { Address, EmailAddress } from '../../src/domain/values.ts'
import { decider } from '../../src/engine/decider.ts'
import { defineEvents, versioned } from '../../src/engine/events.ts'
import { personal } from '../../src/engine/personal-data.ts'
import { collection, projection } from '../../src/engine/projection.ts'
import { forReading } from '../../src/shop.ts'

const presentShop = forReading([])

test('The event catalogue is that of the shop; `npm run event-catalogue` makes it anew', () => {
  const page = readFileSync('docs/events.md', 'utf8')
  // Not by toBe: nobody reads a difference in a thousand lines.
  expect(page.endsWith(`-->\n\n${eventCatalogue(presentShop)}`)).toBe(true)
})

test('Every field of every event says what it is', () => {
  expect(eventCatalogue(presentShop)).not.toMatch(/^\| `[^`]+` \|[^|]*\| {2}\|/m)
})

const wishEvents = defineEvents('wish', {
  WishMade: versioned(
    z.object({
      email: personal(EmailAddress),
      to: personal(Address).meta({ description: 'Where to' }),
      words: z
        .array(z.object({ text: z.string().meta({ description: 'A | word' }) }))
        .meta({ description: 'All words' }),
      by: z.iso.datetime().exactOptional().meta({ description: 'When' }),
    }),
    [(data) => data],
  ),
  WishGranted: z.object({}),
})
const wish = decider({
  events: wishEvents,
  commands: {},
  initial: {},
  evolve: (state) => state,
  decide: {},
})
const Wish = z.object({ count: z.int() })
const wishes = collection('wishes', Wish, {})
const wishList = projection({
  name: 'wish-list',
  version: 1,
  collections: [wishes],
  from: [wishEvents],
  on: { WishMade: () => wishes.change('all', (found) => ({ count: (found?.count ?? 0) + 1 })) },
})

test('A catalogue shows versions, readers, nested, optional and personal fields', () => {
  const catalogue = eventCatalogue({ aggregates: [wish], projections: [wishList], processes: [], jobs: [] })
  const lines = catalogue.split('\n')
  expect(lines).toContain('## wish')
  expect(lines).toContain('Version 2. Read models: `wish-list`.')
  expect(lines).toContain('| `email` | string | E-mail address | **personal** |')
  expect(lines).toContain('| `to.line2` | string | Second line | optional, **personal** |')
  expect(lines).toContain('| `words` | list of object | All words |  |')
  expect(lines).toContain('| `words[].text` | string | A \\| word |  |')
  expect(lines).toContain('| `by` | time | When | optional |')
  expect(catalogue).toContain('### WishGranted\n\nVersion 1. Only decisions look at it.\n\nNo fields.')
})
