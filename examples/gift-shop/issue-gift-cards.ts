import { ask, derivedId, idOf, order, orderEvents, processManager } from 'daybook/definitions'
import { giftCard } from './gift-card.ts'

/** Variants with these SKUs are gift cards. */
const skuPrefix = 'GIFT-'

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
        const data = { amount: Math.floor(amount / quantity), currency, customerId, orderId }
        return Array.from({ length: quantity }, (_, piece) =>
          ask(giftCard, derivedId('gift-card', orderId, line, piece), 'IssueGiftCard', data),
        )
      })
    },
  },
})
