import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Answer, type Connection, type Sent, succeed } from './connection.ts'
import type { Sku } from './goods.ts'
import { gatewayName } from './instant-gateway.ts'

/** A customer's whole purchase, a request for each step. */

/** Of the nine requests those that are commands: cart, two lines, address, shipping, checkout, payment. */
export const commandsOfPurchase = 7

const Opened = z.object({ id: z.string() })
const Cart = z.object({ orderId: z.string() })
const Order = z.object({ status: z.string() })

const email = 'ada@example.com'
const shippingAddress = { name: 'Ada Lovelace', line1: 'Kanalstr. 1', city: 'Hamburg', postalCode: '20095' }

function parsed<T>(schema: z.ZodType<T>, { body }: Answer): T {
  return schema.parse(JSON.parse(body.toString()))
}

/**
 * Buys two things.
 * @param timed told how long each request took
 * @returns the ids of the cart and the order
 * @throws Error unless each step is taken, and the order confirmed in the end
 */
export async function buy(
  connection: Connection,
  token: string,
  lines: readonly Sku[],
  timed: (milliseconds: number) => void,
): Promise<{ readonly cartId: string; readonly orderId: string }> {
  const authorization = `Bearer ${token}`

  async function send(request: Sent): Promise<Answer> {
    const beganMs = performance.now()
    const answer = await succeed(connection, request)
    timed(performance.now() - beganMs)
    return answer
  }

  function command(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return send({
      method: 'POST',
      path,
      headers: { authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
      body: JSON.stringify(body),
    })
  }

  /** What is read once all that `after` wrote is there. */
  function query(path: string, { position = '' }: Answer): Promise<Answer> {
    return send({ method: 'GET', path, headers: { authorization, 'daybook-position': position } })
  }

  const outcome = { prefer: 'wait=5' }
  const { id: cartId } = parsed(Opened, await command('/v1/carts', { currency: 'EUR' }))
  for (const line of lines) await command(`/v1/carts/${cartId}/lines`, { ...line, quantity: 1 })
  await command(`/v1/carts/${cartId}/address`, { country: 'DE', email, shippingAddress })
  await command(`/v1/carts/${cartId}/shipping`, { method: 'standard' })
  const placed = await command(`/v1/carts/${cartId}/checkout`, {}, outcome)
  const { orderId } = parsed(Cart, await query(`/v1/carts/${cartId}`, placed))
  const payment = { gateway: gatewayName, token: 'tok_good' }
  const paid = await command(`/v1/orders/${orderId}/pay`, payment, outcome)
  const { status } = parsed(Order, await query(`/v1/orders/${orderId}`, paid))
  if (status !== 'confirmed') throw new Error(`The order ${orderId} is ${status} after its payment`)
  return { cartId, orderId }
}
