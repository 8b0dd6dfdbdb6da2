import { ask, derivedId, idOf, order, orderEvents, processManager } from 'daybook/definitions'
import { giftCard } from './gift-card.ts'

/** Variants with these SKUs are gift cards. */
const skuPrefix = 'GIFT-'

/** What one piece of a line was paid with: the pieces make up the amount to the cent, and the first of them have one more. */
function shareOf(amount: number, quantity: number, piece: number): number {
  return Math.floor(amount / quantity) + (piece < amount % quantity ? 1 : 0)
}

/** When an order is paid, issue a gift card for each piece of it that is one. */
export const issueGiftCards = processManager({
  name: 'issue-gift-cards',
  of: order,
  from: [orderEvents],
  route: ({ stream }) => idOf(stream),
  on: {
    OrderPaid({ stream, data: { lines, currency, customerId } }) {
      const orderId = idOf(stream)
      return lines.flatMap(({ sku, quantity, amount }, line) => {
        if (!sku.startsWith(skuPrefix)) return []
        return Array.from({ length: quantity }, (_, piece) => {
          const data = { amount: shareOf(amount, quantity, piece), currency, customerId, orderId }
          return ask(giftCard, derivedId('gift-card', orderId, line, piece), 'IssueGiftCard', data)
        })
      })
    },
  },
})
