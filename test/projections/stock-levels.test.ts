import { expect, test } from 'vitest'
import { z } from 'zod'
import { stockItemEvents } from '../../src/domain/stock-item.ts'
import { stockLevelQueries, stockLevels } from '../../src/projections/stock-levels.ts'
import { asStaff, happenings, readModel } from '../../src/testing/read-model.ts'
import { firstInstant } from '../../src/testing/recording.ts'

const { given } = readModel(stockLevels)
const [getStockLevel, listStockLevels] = stockLevelQueries
const staff = { principal: asStaff('stock') }
const teapot = happenings(stockItemEvents, 'TEAPOT-BLUE')
const received = (sku: string, quantity: number) =>
  happenings(stockItemEvents, sku)('StockReceived', { sku, quantity, reference: 'DN-1' })
const sku = 'TEAPOT-BLUE'
const requestedAt = firstInstant
const reservationId = 'order-1:TEAPOT-BLUE:1'

test('stock moves with what comes in, is reserved and leaves', async () => {
  const events = [
    teapot('StockReceived', { sku, quantity: 10, reference: 'DN-1' }),
    teapot('StockReserved', { sku, reservationId, quantity: 4, requestedAt }),
    teapot('ReservationCommitted', { sku, reservationId, quantity: 3, reference: 'shipment-1' }),
    teapot('ReservationReleased', { sku, reservationId, quantity: 1 }),
    teapot('ReservationRefused', { sku, reservationId: 'order-2:TEAPOT-BLUE:1', quantity: 99, available: 7 }),
    teapot('StockAdjusted', { sku, change: -2, reason: 'Broken', reference: 'count-1' }),
  ]
  const after = [
    { onHand: 10, reserved: 0, available: 10 },
    { onHand: 10, reserved: 4, available: 6 },
    { onHand: 7, reserved: 1, available: 6 },
    { onHand: 7, reserved: 0, available: 7 },
    { onHand: 7, reserved: 0, available: 7 },
    { onHand: 5, reserved: 0, available: 5 },
  ]
  for (const [index, expected] of after.entries()) {
    await given(...events.slice(0, index + 1)).expect({
      levels: { [sku]: { sku, ...expected, revision: index } },
    })
  }
})

test('an availability below zero is shown: pieces got lost that were reserved', async () => {
  const shop = given(
    teapot('StockReceived', { sku, quantity: 2, reference: 'DN-1' }),
    teapot('StockReserved', { sku, reservationId, quantity: 2, requestedAt }),
    teapot('StockAdjusted', { sku, change: -1, reason: 'Broken', reference: 'count-1' }),
  )
  expect(await shop.ask(getStockLevel, { sku }, staff)).toMatchObject({ onHand: 1, reserved: 2, available: -1 })
})

const Page = z.object({ items: z.array(z.looseObject({ sku: z.string() })) })

test.each([
  [{}, ['CUP-BLUE', 'CUP-RED', 'TEAPOT-BLUE', 'TEAPOT-RED']],
  [{ beginning: 'CUP' }, ['CUP-BLUE', 'CUP-RED']],
  [{ sort: 'available' }, ['TEAPOT-RED', 'CUP-RED', 'CUP-BLUE', 'TEAPOT-BLUE']],
  [{ maxAvailable: '3' }, ['TEAPOT-RED', 'CUP-RED']],
  [{ minAvailable: '3', maxAvailable: '5' }, ['CUP-RED', 'CUP-BLUE']],
  [{ maxAvailable: '3', beginning: 'CUP' }, ['CUP-RED']],
  [{ sort: 'sku', maxAvailable: '5' }, ['CUP-BLUE', 'CUP-RED', 'TEAPOT-RED']],
])('staff find levels by %j', async (parameters, expected) => {
  const shop = given(
    received('TEAPOT-BLUE', 9),
    received('CUP-RED', 3),
    received('TEAPOT-RED', 1),
    received('CUP-BLUE', 5),
  )
  const answer = Page.parse(await shop.ask(listStockLevels, parameters, staff))
  expect(answer.items.map((level) => level.sku)).toEqual(expected)
})

test('only staff with the scope may ask', async () => {
  const shop = given()
  expect(await shop.ask(getStockLevel, { sku }, staff)).toBeUndefined()
  await expect(shop.ask(getStockLevel, { sku }, { principal: asStaff('orders') })).rejects.toThrow('forbidden')
  await expect(shop.ask(listStockLevels)).rejects.toThrow('unauthenticated')
})
