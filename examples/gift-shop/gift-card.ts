import {
  Amount,
  Currency,
  command,
  decider,
  defineEvents,
  type EventOf,
  Id,
  notFound,
  Reference,
  reject,
  staff,
  z,
} from 'daybook/definitions'

/** A card with money on it, which can be spent in parts. */

// Events

const issued = { amount: Amount, currency: Currency, customerId: Id, orderId: Id }

export const giftCardEvents = defineEvents('giftCard', {
  GiftCardIssued: z.object(issued),
  GiftCardSpent: z.object({ amount: Amount, reference: Reference }),
})
export type GiftCardEvent = EventOf<typeof giftCardEvents>

// State

interface GiftCard {
  readonly status: 'none' | 'issued'
  readonly balance: number
  /** Of what it was spent on, so that nothing is spent twice. A card that is empty takes no more of them. */
  readonly references: readonly string[]
}

const initial: GiftCard = { status: 'none', balance: 0, references: [] }

function evolve(card: GiftCard, event: GiftCardEvent): GiftCard {
  switch (event.type) {
    case 'GiftCardIssued':
      return { ...card, status: 'issued', balance: event.data.amount }
    case 'GiftCardSpent':
      return {
        ...card,
        balance: card.balance - event.data.amount,
        references: [...card.references, event.data.reference],
      }
  }
}

// Commands

const giftCardCommands = {
  IssueGiftCard: z.strictObject(issued),
  SpendGiftCard: z.strictObject({ amount: Amount.min(1), reference: Reference }),
}
type Command<Type extends keyof typeof giftCardCommands> = z.output<(typeof giftCardCommands)[Type]>

// Decisions

const maxPayments = 100

function issue(command: Command<'IssueGiftCard'>, card: GiftCard): GiftCardEvent[] {
  return card.status === 'none' ? [{ type: 'GiftCardIssued', data: command }] : []
}

function spend(command: Command<'SpendGiftCard'>, card: GiftCard, { id }: { readonly id: string }): GiftCardEvent[] {
  if (card.status === 'none') throw notFound('gift-card', id)
  if (card.references.includes(command.reference)) return []
  if (command.amount > card.balance) {
    throw reject('gift-card-too-small', 'There is not that much left on this gift card.', { balance: card.balance })
  }
  if (card.references.length >= maxPayments && command.amount < card.balance) {
    throw reject(
      'gift-card-worn',
      `A gift card is spent in ${maxPayments} parts at most. Spend all that is left on it.`,
    )
  }
  return [{ type: 'GiftCardSpent', data: command }]
}

export const giftCard = decider({
  events: giftCardEvents,
  commands: giftCardCommands,
  initial,
  evolve,
  decide: { IssueGiftCard: issue, SpendGiftCard: spend },
})

// Requests

export const giftCardRequests = [
  command({
    name: 'spendGiftCard',
    route: 'POST /v1/gift-cards/{giftCardId}/spend',
    summary: 'Spend money of a gift card',
    description: 'The same reference is spent once.',
    who: staff('payments'),
    target: giftCard,
    type: 'SpendGiftCard',
    keyRequired: true,
  }),
]
