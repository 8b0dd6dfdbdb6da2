import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { newEvents } from '../../src/engine/command.ts'
import { defineEvents, eventRegistry, versioned } from '../../src/engine/events.ts'
import { deposit } from './handling.ts'

const priceEvents = defineEvents('price', {
  /** Version 1 had euros, version 2 cents without a currency. */
  PriceSet: versioned(z.object({ cents: z.int(), currency: z.string() }), [
    ({ euros }) => ({ cents: Math.round(Number(euros) * 100) }),
    ({ cents }) => ({ cents, currency: 'EUR' }),
  ]),
})

async function stored(type: string, data: Record<string, unknown>, version: number) {
  const store = memoryEventStore()
  const [event] = newEvents(deposit(1), [{ type: 'Deposited', data: { amount: 1 } }], '2026-01-01T00:00:00.000Z')
  if (!event) throw new Error('There is no event')
  const metadata = { ...event.metadata, version }
  const written = {
    ...event,
    type,
    data,
    metadata,
    dataJson: JSON.stringify(data),
    metadataJson: JSON.stringify(metadata),
  }
  const { positions } = await store.append('price-a', -1, [written])
  const read = await store.eventAt(positions[0] ?? 0)
  if (!read) throw new Error('There is no event')
  return read
}

describe('an event', () => {
  const registry = eventRegistry([priceEvents])

  test.each([
    ['of the first version is brought to the present one', { euros: 12.5 }, 1],
    ['of a version between is, too', { cents: 1250 }, 2],
    ['of the present version stays as it is', { cents: 1250, currency: 'EUR' }, 3],
  ])('%s', async (_what, data, version) => {
    expect(registry.upcast(await stored('PriceSet', data, version)).data).toEqual({ cents: 1250, currency: 'EUR' })
  })

  test('of a newer version, or of a kind that is not known, says that a newer Daybook wrote it', async () => {
    const newer = await stored('PriceSet', {}, 4)
    const unknown = await stored('PriceForgotten', {}, 1)
    for (const event of [newer, unknown]) {
      expect(() => registry.upcast(event)).toThrow(expect.objectContaining({ name: 'NewerVersionError' }))
    }
  })

  test('is defined once', () => {
    expect(() => eventRegistry([priceEvents, priceEvents])).toThrow('Two aggregates are called price')
    const other = defineEvents('discount', { PriceSet: z.object({}) })
    expect(() => eventRegistry([priceEvents, other])).toThrow('Two aggregates define the event PriceSet')
    expect(() => defineEvents('gift-card', {})).toThrow('camelCase')
  })
})
