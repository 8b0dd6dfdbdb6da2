import { describe, expect, onTestFinished, test } from 'vitest'
import { guestCarts } from '../../src/accounts/guest-cart.ts'
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts'
import { openSqliteKeyVault } from '../../src/adapters/sqlite/key-vault.ts'
import { cart } from '../../src/domain/cart/cart.ts'
import { cartEvents } from '../../src/domain/cart/events.ts'
import { ask as engineAsk } from '../../src/engine/command.ts'
import { personalData } from '../../src/engine/personal-data.ts'
import { filesOf } from '../../src/storage.ts'
import { ask, openAccount, password } from './account-client.ts'
import { type OpenShop, openShop } from './open-shop.ts'
import { address, fillCart, guest, type Shopper, stock } from './shop-client.ts'

const ada = 'ada@example.com'

/** A shop with a customer's cart and one of the customer as a guest. */
async function twoCarts(quantities: { readonly own: number; readonly guests: number }) {
  const shop = await openShop()
  await stock(shop)
  const account: Shopper = await openAccount(shop, ada)
  const own = await fillCart(shop, account, quantities.own)
  const shopper = await guest(shop)
  const guests = await fillCart(shop, shopper, quantities.guests)
  const stateOf = async (id: string) => (await shop.daybook.engine.handler.fold(cart, id)).state
  return { shop, account, own, shopper, guests, stateOf }
}

async function change(shop: OpenShop, cartId: string, quantity: number, { token }: Shopper): Promise<void> {
  await shop.post(`/v1/carts/${cartId}/quantity`, { sku: 'TEAPOT', quantity }, { token })
}

describe('who was a guest, and is forgotten as a customer,', () => {
  test.each([
    ['handed over', undefined],
    ['merged', 1],
  ])('has nothing in the log that can be read, after the cart was %s', async (_how, own) => {
    const shop = await openShop()
    await stock(shop)
    const account: Shopper = await openAccount(shop, ada)
    if (own !== undefined) await fillCart(shop, account, own)
    const shopper = await guest(shop)
    await fillCart(shop, shopper)
    expect((await ask(shop, 'take-cart', { guestToken: shopper.token }, account.token)).status).toBe(200)
    const forgotten = await shop.post(
      `/v1/customers/${account.customerId}/forget`,
      {},
      { headers: { prefer: 'wait=5' } },
    )
    expect(forgotten.status).toBe(200)
    const late = await shop.send('POST', '/v1/carts', { token: shopper.token, body: { currency: 'EUR' } })
    expect(late.status).toBe(401)
    await shop.close()
    const opened = await sealedInLog(shop.directory)
    expect(opened.length).toBeGreaterThanOrEqual(2)
    expect(opened.filter(({ email, shippingAddress }) => email !== null || shippingAddress !== null)).toEqual([])
  })
})

/** Addresses of carts in the log of a shop that is closed, as far as they can be opened. */
async function sealedInLog(directory: string) {
  const files = filesOf(directory)
  const store = await openSqliteEventStore({ file: files.log, readOnly: true })
  onTestFinished(() => store.close())
  const vault = openSqliteKeyVault({ file: files.vault })
  onTestFinished(() => vault.close())
  const found: unknown[] = []
  const schema = cartEvents.schemas.CartHandedOver.pick({ email: true, shippingAddress: true })
  for await (const { events } of store.readAll({
    after: 0,
    filter: { types: new Set(['CartAddressSet', 'CartHandedOver']) },
  }))
    for (const { data } of events) found.push(data)
  return schema.array().parse(await personalData(vault).open(schema, found))
}

test('what a guest puts in after a crash half way of a log-in comes along with the next one', async () => {
  const { shop, account, own, shopper, guests, stateOf } = await twoCarts({ own: 1, guests: 2 })
  const { handler } = shop.daybook.engine
  const { state, revision } = await handler.fold(cart, guests)
  const content = { fromCartId: guests, fromRevision: revision, lines: [...state.lines] }
  await handler.handle({
    ...engineAsk(cart, own, 'MergeGuestCart', content),
    id: 'half-way',
    actor: { kind: 'customer', id: account.customerId },
    correlationId: 'half-way',
  })
  await change(shop, guests, 7, shopper)
  const { body } = await ask(shop, 'log-in', { email: ada, password, guestToken: shopper.token })
  expect(body.cart).toMatchObject({ id: own, rule: 'larger-quantity', raised: ['TEAPOT'] })
  expect((await stateOf(own)).lines).toMatchObject([{ sku: 'TEAPOT', quantity: 7 }])
  expect((await stateOf(guests)).status).toBe('merged')
})

/** Takes a cart along as a log-in does, with something that happens just before or after the first command of a type. */
function taking(shop: OpenShop, type: string, meet: { before?(): Promise<void>; after?(): Promise<void> }) {
  const { handler, personal, projections } = shop.daybook.engine
  let isMet = false
  return guestCarts({
    handler: {
      fold: handler.fold,
      async handle(command) {
        if (isMet || command.type !== type) return await handler.handle(command)
        isMet = true
        await meet.before?.()
        const answer = await handler.handle(command)
        await meet.after?.()
        return answer
      },
    },
    personal,
    projections,
    store: { head: async () => ({ logId: '', position: 0, eventId: '' }) },
    queryWaitMs: 5_000,
  })
}

test('what a guest puts in while the cart is merged is not lost', async () => {
  const { shop, account, own, shopper, guests, stateOf } = await twoCarts({ own: 1, guests: 2 })
  await shop.get(`/v1/carts/${guests}`, shopper.token)
  const take = taking(shop, 'MergeGuestCart', { after: () => change(shop, guests, 7, shopper) })
  const taken = await take({ guestId: shopper.customerId, customerId: account.customerId, correlationId: 'test-0001' })
  expect(taken).toMatchObject({ id: own, rule: 'larger-quantity', added: [], raised: ['TEAPOT'], left: [] })
  expect((await stateOf(own)).lines).toMatchObject([{ sku: 'TEAPOT', quantity: 7 }])
  expect((await stateOf(guests)).status).toBe('merged')
})

test('the address that a guest sets while the cart is handed over goes with it', async () => {
  const shop = await openShop()
  await stock(shop)
  const account: Shopper = await openAccount(shop, ada)
  const shopper = await guest(shop)
  const cartId = await fillCart(shop, shopper)
  await shop.get(`/v1/carts/${cartId}`, shopper.token)
  const moved = { country: 'DE', email: ada, shippingAddress: { ...address, city: 'Kiel' } }
  const take = taking(shop, 'HandOverCart', {
    before: async () => void (await shop.post(`/v1/carts/${cartId}/address`, moved, { token: shopper.token })),
  })
  const taken = await take({ guestId: shopper.customerId, customerId: account.customerId, correlationId: 'test-0001' })
  expect(taken).toMatchObject({ id: cartId, rule: 'handed-over' })
  await shop.daybook.engine.projections.waitFor('carts', taken?.position ?? 0, 5_000)
  const seen = await shop.send('GET', `/v1/carts/${cartId}`, { token: account.token })
  expect(seen.body.shippingAddress).toMatchObject({ city: 'Kiel' })
})
