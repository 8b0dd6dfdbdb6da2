/** The cards that the sandbox knows, and what each makes it do. */

export type Step = 'authorise' | 'capture' | 'refund'

export interface Refusal {
  readonly code: string
  readonly reason: string
}

/** What a card says of its payments; the settings decide the rest. */
export interface CardBehaviour {
  readonly answer?: 'at-once' | 'pending'
  readonly callbacks?: 'once' | 'twice' | 'out-of-order' | 'never'
  /** The shopper approves on a page of the sandbox. */
  readonly redirect?: true
  readonly refuses?: Refusal & { readonly step: Step }
  /** How many tries of each call are answered 500, with nothing done. */
  readonly failures?: number
  /** How many tries of each call are done and never answered. */
  readonly hangs?: number
}

export interface TestCard {
  readonly number: string
  /** Goes on from "the payment ...". */
  readonly does: string
  readonly behaviour: CardBehaviour
}

export const cardDeclined: Refusal = { code: 'card-declined', reason: 'The card was declined.' }
const insufficientFunds: Refusal = { code: 'insufficient-funds', reason: 'There is not enough money for this.' }

export const testCards: readonly TestCard[] = [
  { number: '4242424242424242', does: 'succeeds at once', behaviour: {} },
  {
    number: '4000000000000002',
    does: 'is refused: card-declined',
    behaviour: { refuses: { step: 'authorise', ...cardDeclined } },
  },
  {
    number: '4000000000009995',
    does: 'is refused: insufficient-funds',
    behaviour: { refuses: { step: 'authorise', ...insufficientFunds } },
  },
  {
    number: '4000000000001000',
    does: 'is pending, then a callback tells that it succeeded',
    behaviour: { answer: 'pending', callbacks: 'once' },
  },
  {
    number: '4000000000001018',
    does: 'is pending, then a callback tells that it was refused',
    behaviour: { answer: 'pending', callbacks: 'once', refuses: { step: 'authorise', ...cardDeclined } },
  },
  {
    number: '4000000000001026',
    does: 'is pending, and each callback comes twice',
    behaviour: { answer: 'pending', callbacks: 'twice' },
  },
  {
    number: '4000000000001034',
    does: 'is authorised at once; the callback of its capture comes before that of its authorisation',
    behaviour: { callbacks: 'out-of-order' },
  },
  {
    number: '4000000000001042',
    does: 'is pending, and no callback comes until one asks to resend',
    behaviour: { answer: 'pending', callbacks: 'never' },
  },
  {
    number: '4000000000001059',
    does: 'works at the third try of each call; the first two are answered 500',
    behaviour: { failures: 2 },
  },
  {
    number: '4000000000001067',
    does: 'is done at the first try of each call, but only the second is answered',
    behaviour: { hangs: 1 },
  },
  {
    number: '4000000000001075',
    does: 'is authorised, and its capture refused',
    behaviour: {
      refuses: { step: 'capture', code: 'capture-declined', reason: 'The bank no longer holds the money.' },
    },
  },
  {
    number: '4000000000001083',
    does: 'is captured, and its refunds refused',
    behaviour: {
      refuses: { step: 'refund', code: 'refund-declined', reason: 'The bank does not take the money back.' },
    },
  },
  {
    number: '4000002760003184',
    does: 'waits for the shopper to approve it on a page, then a callback tells',
    behaviour: { redirect: true, callbacks: 'once' },
  },
]

const byNumber = new Map(testCards.map((card) => [card.number, card]))

/** Finds a card by its number, which may be written with spaces or hyphens. */
export function findTestCard(number: string): TestCard | undefined {
  return byNumber.get(number.replaceAll(/[ -]/g, ''))
}
