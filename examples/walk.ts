import { createClient } from 'daybook/client'

const [url = '', sandbox = '', key = ''] = process.argv.slice(2)
const shop = createClient({ url })
const query = { q: 'tea', currency: 'EUR', language: 'en' }
for await (const { title } of shop.paginate('/v1/products', { query })) console.log(title)
await shop.guest()
const cart = { cartId: (await shop.post('/v1/carts', { body: { currency: 'EUR' } })).id }
const line = { productId: 'teapot-litre', sku: 'teapot-litre-BLUE', quantity: 2 }
await shop.post('/v1/carts/{cartId}/lines', { path: cart, body: line })
const shippingAddress = { name: 'Ada Lovelace', line1: 'Kanalstr. 1', city: 'Hamburg', postalCode: '20095' }
const address = { country: 'DE', email: 'ada@example.com', shippingAddress }
await shop.post('/v1/carts/{cartId}/address', { path: cart, body: address })
await shop.post('/v1/carts/{cartId}/shipping', { path: cart, body: { method: 'standard' } })
await shop.post('/v1/carts/{cartId}/checkout', { path: cart, waitSeconds: 5 })
const order = { orderId: (await shop.get('/v1/carts/{cartId}', { path: cart })).orderId ?? '' }
const card = new Blob(['{"number":"4242424242424242","expiry":"12/39","cvc":"123"}'], { type: 'application/json' })
const { token } = JSON.parse(await (await fetch(`${sandbox}/v1/tokens`, { method: 'POST', body: card })).text())
await shop.post('/v1/orders/{orderId}/pay', { path: order, body: { gateway: 'sandbox', token }, waitSeconds: 5 })
for await (const { title } of shop.paginate('/v1/orders/{orderId}/timeline', { path: order })) console.log(title)
const refund = { lines: [{ lineId: 'teapot-litre-BLUE', quantity: 1 }], reason: 'Arrived broken' }
await createClient({ url, token: key }).post('/v1/orders/{orderId}/refund', { path: order, body: refund })
