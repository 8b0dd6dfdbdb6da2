import type { Extension } from 'daybook/definitions'
import { giftCard, giftCardRequests } from './gift-card.ts'
import { getGiftCard, giftCards, listGiftCards } from './gift-cards.ts'
import { invoiceGateway } from './invoice-gateway.ts'
import { issueGiftCards } from './issue-gift-cards.ts'

/** What this shop has beside what every shop has. */
export const giftShop: Extension = {
  name: 'gift-shop',
  module: import.meta.url,
  aggregates: [giftCard],
  commands: giftCardRequests,
  projections: [giftCards],
  queries: [getGiftCard, listGiftCards],
  processes: [issueGiftCards],
  gateways: [invoiceGateway({ limit: 100_000 })],
}
