import {
  Amount,
  Currency,
  collection,
  documentQuery,
  Id,
  idOf,
  owner,
  pageQuery,
  projection,
  staff,
  z,
} from 'daybook/definitions'
import { giftCardEvents } from './gift-card.ts'

/** What is left on gift cards. */

// Document

const Balance = z.object({
  id: Id,
  customerId: Id.meta({ description: 'Who bought it', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
  orderId: Id.meta({ description: 'Order that it was bought with', example: '0198f0c2-3333-7a34-9b0e-3f2c1d5a7b88' }),
  balance: Amount.meta({ description: 'What is left on it', example: 5000 }),
  currency: Currency,
  revision: z.int().meta({ description: 'Revision of the gift card, for `If-Match`', example: 2 }),
})

const balances = collection('balances', Balance, { byOrder: ['orderId'], byBalance: ['currency', 'balance'] })

// Evolve

export const giftCards = projection({
  name: 'gift-cards',
  version: 1,
  collections: [balances],
  from: [giftCardEvents],
  on: {
    GiftCardIssued: ({ stream, revision, data: { amount, ...rest } }) =>
      balances.change(idOf(stream), () => ({ id: idOf(stream), ...rest, balance: amount, revision })),
    GiftCardSpent: ({ stream, revision, data }) =>
      balances.update(idOf(stream), (card) => ({ ...card, revision, balance: card.balance - data.amount })),
  },
})

// Queries

export const getGiftCard = documentQuery({
  name: 'getGiftCard',
  route: 'GET /v1/gift-cards/{giftCardId}',
  summary: 'See what is left on a gift card',
  who: owner((card: z.output<typeof Balance>) => card.customerId, 'payments'),
  from: giftCards,
  of: balances,
  parameters: z.object({ giftCardId: Id }),
  id: ({ giftCardId }) => giftCardId,
})

export const listGiftCards = pageQuery({
  name: 'listGiftCards',
  route: 'GET /v1/gift-cards',
  summary: 'List gift cards, the fullest first',
  who: staff('payments'),
  from: giftCards,
  of: balances,
  parameters: z.object({ currency: Currency }),
  item: Balance,
  find: ({ parameters }) => ({ index: 'byBalance', equals: [parameters.currency], direction: 'descending' }),
  show: (cards) => cards,
})
