import { test } from 'node:test'
import { specification } from 'daybook/testing'
import { giftCard, giftCardEvents } from './gift-card.ts'

const { given, event } = specification(giftCard, giftCardEvents)
const bought = { amount: 5000, currency: 'EUR', customerId: 'ada', orderId: 'order-1' }
const issued = event('GiftCardIssued', bought)
const spent = (amount: number, reference: string) => event('GiftCardSpent', { amount, reference })

test('a gift card is issued once', () => {
  given().when('IssueGiftCard', bought).then(issued)
  given(issued)
    .when('IssueGiftCard', { ...bought, amount: 100 })
    .thenNothing()
})

test('a gift card is spent in parts, each of them once', () => {
  given(issued)
    .when('SpendGiftCard', { amount: 3000, reference: 'till-1' })
    .then(spent(3000, 'till-1'))
    .when('SpendGiftCard', { amount: 2000, reference: 'till-2' })
    .then(spent(2000, 'till-2'))
})

test('a gift card is not spent beyond what is left on it', () => {
  given(issued, spent(3000, 'till-1'))
    .when('SpendGiftCard', { amount: 2001, reference: 'till-2' })
    .thenRejected('gift-card-too-small', { balance: 2000 })
})

test('a gift card that is worn takes only what empties it', () => {
  const worn = Array.from({ length: 100 }, (_, number) => spent(10, `till-${number}`))
  const { when } = given(issued, ...worn)
  when('SpendGiftCard', { amount: 10, reference: 'another' }).thenRejected('gift-card-worn')
  when('SpendGiftCard', { amount: 4000, reference: 'another' }).then(spent(4000, 'another'))
})

test('there is nothing to spend of a gift card that was never issued', () => {
  given().when('SpendGiftCard', { amount: 1, reference: 'till-1' }).thenRejected('gift-card-not-found')
})
