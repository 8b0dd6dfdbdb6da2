import { test } from 'node:test'
import { ask, derivedId, order, orderEvents } from 'daybook/definitions'
import { reactionsOf, specification } from 'daybook/testing'
import { giftCard } from './gift-card.ts'
import { issueGiftCards } from './issue-gift-cards.ts'

const { event } = specification(order, orderEvents)
const { given } = reactionsOf(issueGiftCards, 'order-1')

/** An order that is paid, of one line. */
function paid(sku: string, quantity: number, amount: number) {
  const line = { productId: 'gift-card', sku, title: 'Gift card', categoryIds: [], quantity, amount, tax: 0 }
  return event('OrderPaid', {
    paymentId: 'payment-1',
    customerId: 'ada',
    country: 'DE',
    placedAt: '2026-01-15T09:30:00.000Z',
    currency: 'EUR',
    lines: [line],
    shipping: { amount: 0, tax: 0 },
    amount,
  })
}

const issue = (piece: number, amount: number) =>
  ask(giftCard, derivedId('gift-card', 'order-1', 0, piece), 'IssueGiftCard', {
    amount,
    currency: 'EUR',
    customerId: 'ada',
    orderId: 'order-1',
  })

test('each piece of a paid gift card is issued', () => {
  given()
    .when(paid('GIFT-50', 2, 10_000))
    .then(issue(0, 5000), issue(1, 5000))
})

test('what is paid is on the cards to the cent, also where it does not divide evenly', () => {
  given()
    .when(paid('GIFT-33', 3, 10_000))
    .then(issue(0, 3334), issue(1, 3333), issue(2, 3333))
})

test('what is no gift card issues none', () => {
  given()
    .when(paid('TEAPOT', 2, 10_000))
    .then()
})
