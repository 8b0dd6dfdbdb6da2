import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { customer } from '../../src/domain/customer.ts'
import { openShop } from './open-shop.ts'
import { checkOut, fillCart, guest, pay, stock } from './shop-client.ts'

describe('what would leave money or stock where it does not belong is refused', () => {
  test('cancelling and refunding as history: nobody would pay the money back', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    await pay(shop, orderId, shopper)
    const headers = { 'daybook-occurred-at': '2026-01-01T00:00:00Z', 'idempotency-key': 'history' }
    const refund = { lines: [{ lineId: 'TEAPOT', quantity: 1 }], reason: 'Broken' }
    for (const [what, body] of [
      ['cancel', { reason: 'Long ago' }],
      ['refund', refund],
      ['ship', {}],
    ] as const) {
      expect(await shop.send('POST', `/v1/orders/${orderId}/${what}`, { body, headers })).toMatchObject({
        status: 400,
        body: { code: 'occurred-at-not-allowed' },
      })
    }
    expect(await shop.get(`/v1/orders/${orderId}`)).toMatchObject({ status: 'confirmed', refunds: [] })
  })

  test('a reservation of an order is its own: no key for the stock can release or take it', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    const reservationId = `${orderId}:TEAPOT:1`
    for (const [what, body] of [
      ['release', { reservationId }],
      ['commit', { reservationId, quantity: 2, reference: 'mine' }],
      ['reserve', { reservationId: `${orderId}:TEAPOT:2`, quantity: 2 }],
    ] as const) {
      const headers = { 'idempotency-key': what }
      expect(await shop.send('POST', `/v1/stock-items/TEAPOT/${what}`, { body, headers })).toMatchObject({
        status: 422,
        body: { errors: [{ pointer: '#/reservationId' }] },
      })
    }
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 10, reserved: 2 })
    await shop.post('/v1/stock-items/TEAPOT/reserve', { reservationId: 'exhibition', quantity: 1 })
    const tooMany = { body: { reservationId: 'fair', quantity: 99 }, headers: { 'idempotency-key': 'fair' } }
    expect(await shop.send('POST', '/v1/stock-items/TEAPOT/reserve', tooMany)).toMatchObject({
      status: 409,
      body: { code: 'not-available', details: { available: 7 } },
    })
    await shop.post('/v1/stock-items/TEAPOT/release', { reservationId: 'exhibition' })
    expect(await shop.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 10, reserved: 2 })
  })
})

test('nobody gets a token of a customer who never registered, or was forgotten', async () => {
  const { post, send } = await openShop()
  await post('/v1/customers', { id: 'ada', email: 'ada@example.com', name: 'Ada' })
  const codeFor = async (id: string) => {
    const { status, body } = await send('POST', `/v1/customers/${id}/tokens`)
    return [status, body.code]
  }
  expect(await codeFor('ada')).toEqual([201, undefined])
  expect(await codeFor('eve')).toEqual([404, 'customer-not-found'])
  await post('/v1/customers/ada/forget')
  expect(await codeFor('ada')).toEqual([409, 'customer-forgotten'])
})

test('what a shop notes of a customer is sealed like the name, and as empty as before where nothing is noted', async () => {
  const { post, get, daybook } = await openShop()
  const ada = { id: 'ada', email: 'ada@example.com', name: 'Ada', attributes: { birthday: '1815-12-10' } }
  await post('/v1/customers', ada)
  await post('/v1/customers', { id: 'bob', email: 'bob@example.com', name: 'Bob' })
  const { state } = await daybook.engine.handler.fold(customer, 'ada')
  expect(JSON.stringify(state)).not.toContain('1815')
  expect((await get('/v1/customers/ada')).attributes).toEqual(ada.attributes)
  expect((await get('/v1/customers/bob')).attributes).toEqual({})
  await post('/v1/customers/ada/forget')
  expect((await get('/v1/customers/ada')).attributes).toBeNull()
})

test('a key grants no scope that it has not', async () => {
  const { post, send } = await openShop()
  const secret = 's3cret'
  const secretHash = createHash('sha256').update(secret).digest('hex')
  await post('/v1/api-keys', { id: 'porter', title: 'Porter', scopes: ['keys', 'stock'], secretHash })
  const token = `dbk_porter_${secret}`
  const grant = async (...scopes: string[]) => {
    const sent = { body: { title: 'Other', scopes, secretHash }, token }
    const { status, body } = await send('POST', '/v1/api-keys', sent)
    return [status, body.code, body.details]
  }
  expect(await grant('stock', 'orders')).toEqual([403, 'scope-not-granted', { scopes: ['orders'] }])
  expect((await grant('stock', 'keys'))[0]).toBe(201)
})

test('who was forgotten can register anew with the same e-mail address, and nobody else meanwhile', async () => {
  const shop = await openShop()
  const register = (id: string, email: string) =>
    shop.send('POST', '/v1/customers', { body: { id, email, name: 'Ada Lovelace' } })
  const answers = await Promise.all([register('ada', 'ada@example.com'), register('eve', 'Ada@Example.com')])
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  const first = answers.find(({ status }) => status === 201)?.body.id
  await shop.post(`/v1/customers/${first}/forget`)
  expect(await register('ada-2', 'ada@example.com')).toMatchObject({ status: 201 })
  expect(await register('eve-2', 'ada@example.com')).toMatchObject({
    status: 409,
    body: { code: 'e-mail-address-taken' },
  })
})
