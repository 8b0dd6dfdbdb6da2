import { expect, expectTypeOf, test } from 'vitest'
import { type Client, createClient, type Item, type paths } from '../../src/client/client.ts'

/** What the compiler says of calls: `tsc` is the test, and `@ts-expect-error` fails it where there is no error. */
async function calls(client: Client): Promise<void> {
  const opened = await client.post('/v1/carts', { body: { currency: 'EUR' } })
  expectTypeOf(opened).toEqualTypeOf<{ readonly id: string; readonly revision: number; readonly position: string }>()
  const cart = await client.get('/v1/carts/{cartId}', { path: { cartId: opened.id } })
  expectTypeOf(cart.orderId).toEqualTypeOf<string | null>()
  expectTypeOf(cart.lines[0]?.quantity).toEqualTypeOf<number | undefined>()
  expectTypeOf<Item<paths, '/v1/products'>['priceFrom']>().toEqualTypeOf<number>()
  for await (const order of client.paginate('/v1/orders')) expectTypeOf(order.number).toEqualTypeOf<string>()
  await client.post('/v1/carts/{cartId}/checkout', { path: { cartId: 'c' }, waitSeconds: 5, idempotencyKey: 'k' })
  await client.get('/v1/carts')

  // @ts-expect-error: there is no such route
  await client.get('/v1/cart')
  // @ts-expect-error: it can't be posted to
  await client.post('/v1/orders', { body: {} })
  // @ts-expect-error: the parameter of the path is missing
  await client.get('/v1/carts/{cartId}')
  // @ts-expect-error: it is called cartId
  await client.get('/v1/carts/{cartId}', { path: { id: 'c' } })
  // @ts-expect-error: the body is missing
  await client.post('/v1/carts/{cartId}/lines', { path: { cartId: 'c' } })
  // @ts-expect-error: a line has a quantity
  await client.post('/v1/carts/{cartId}/lines', { path: { cartId: 'c' }, body: { productId: 'p', sku: 's' } })
  // @ts-expect-error: which is a number
  await client.post('/v1/carts/{cartId}/quantity', { path: { cartId: 'c' }, body: { sku: 's', quantity: '2' } })
  // @ts-expect-error: a body has no other fields
  await client.post('/v1/carts', { body: { currency: 'EUR', colour: 'blue' } })
  // @ts-expect-error: products need a currency
  await client.get('/v1/products', { query: { q: 'tea' } })
  // @ts-expect-error: there is no such order
  await client.get('/v1/products', { query: { currency: 'EUR', sort: 'loudest' } })
  // @ts-expect-error: queries have no keys
  await client.get('/v1/carts', { idempotencyKey: 'k' })
  // @ts-expect-error: one cart is no page
  client.paginate('/v1/carts/{cartId}', { path: { cartId: 'c' } })
}

test('A client of a shop with routes of its own has these', async () => {
  interface Own {
    readonly '/v1/gifts': {
      readonly get: {
        readonly parameters: { readonly query: { readonly colour: string } }
        readonly responses: {
          readonly 200: { readonly content: { readonly 'application/json': { readonly id: string } } }
        }
      }
    }
  }
  const seen: string[] = []
  const client = createClient<Own>({
    url: 'http://shop.example/',
    fetch: async ({ url }) => {
      seen.push(url)
      return Response.json({ id: 'gift-1' })
    },
  })
  const gift = await client.get('/v1/gifts', { query: { colour: 'sky blue' } })
  expectTypeOf(gift).toEqualTypeOf<{ readonly id: string }>()
  // @ts-expect-error: this shop has no products
  await client.get('/v1/products', { query: { currency: 'EUR' } })
  expect(gift).toEqual({ id: 'gift-1' })
  expect(seen[0]).toBe('http://shop.example/v1/gifts?colour=sky%20blue')
  expect(calls).toBeTypeOf('function')
})
