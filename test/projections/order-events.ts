import type { z } from 'zod'
import type { orderEvents } from '../../src/domain/order/events.ts'

/** An order of two blue teapots (5,000) and one cup (900), which is 6,390 with shipping. */

type AnyPlaced = z.input<typeof orderEvents.schemas.OrderPlaced>
type Placed = AnyPlaced & Required<Pick<AnyPlaced, 'email' | 'shippingAddress'>>
type Paid = z.input<typeof orderEvents.schemas.OrderPaid>
type Refunded = z.input<typeof orderEvents.schemas.OrderRefunded>

const address = { name: 'Ada Lovelace', line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH' }

export const teapots: Placed['lines'][number] = {
  lineId: 'TEAPOT-BLUE',
  productId: 'blue-teapot',
  sku: 'TEAPOT-BLUE',
  title: 'Blue teapot',
  categoryIds: ['kitchen', 'teapots'],
  quantity: 2,
  unitPrice: 2_500,
  amount: 5_000,
  taxRate: 1_900,
  tax: 798,
  unitTaxes: [{ units: 2, tax: 399 }],
}

export const cup: Placed['lines'][number] = {
  lineId: 'CUP-RED',
  productId: 'red-cup',
  sku: 'CUP-RED',
  title: 'Red cup',
  categoryIds: ['kitchen'],
  quantity: 1,
  unitPrice: 900,
  amount: 900,
  taxRate: 1_900,
  tax: 144,
  unitTaxes: [{ units: 1, tax: 144 }],
}

const shipping = { method: 'standard', title: 'Standard', amount: 490, taxRate: 1_900, tax: 78 }

/** What OrderPlaced says of it. */
export function placement(changes: Partial<Placed> = {}): Placed {
  return {
    number: 'D-7KQ4-M2XA',
    cartId: 'cart-1',
    customerId: 'ada',
    buyer: 'member',
    currency: 'EUR',
    language: 'en',
    country: 'DE',
    email: 'ada@example.com',
    shippingAddress: address,
    lines: [teapots, cup],
    shipping,
    totals: { items: 5_900, shipping: 490, tax: 1_020, total: 6_390 },
    placedAt: '2026-01-15T09:30:00.000Z',
    expiresAt: '2026-01-15T10:00:00.000Z',
    ...changes,
  }
}

/** What OrderPaid says of it. */
export function payment(changes: Partial<Paid> = {}): Paid {
  const { customerId, country, currency, lines, totals, placedAt } = placement()
  const { amount, tax } = shipping
  return {
    paymentId: 'payment-1',
    amount: totals.total,
    currency,
    customerId,
    country,
    placedAt,
    lines,
    shipping: { amount, tax },
    ...changes,
  }
}

/** What OrderRefunded says when one of the teapots is paid back. */
export function oneTeapotBack(changes: Partial<Refunded> = {}): Refunded {
  return {
    refundId: 'refund-1',
    paymentId: 'payment-1',
    customerId: 'ada',
    currency: 'EUR',
    country: 'DE',
    lines: [{ ...teapots, quantity: 1, amount: 2_500, tax: 399 }],
    shipping: { amount: 0, tax: 0 },
    total: 2_500,
    reason: 'Broken spout',
    ...changes,
  }
}
