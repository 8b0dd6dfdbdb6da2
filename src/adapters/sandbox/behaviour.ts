import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type CardBehaviour, cardDeclined, type Refusal, type Step } from './test-cards.ts'

// Coerced, since the process reads them from its environment.
const Share = z.coerce.number().min(0).max(1)

/** What the sandbox does where a card does not say otherwise. */
export const Behaviour = z.object({
  answer: z.enum(['at-once', 'pending']).default('at-once'),
  callbackDelayMs: z.coerce.number().int().min(0).max(3_600_000).default(500),
  /** Of the callbacks. */
  twiceShare: Share.default(0),
  /** Of the payments: their captures are told before their authorisations. */
  outOfOrderShare: Share.default(0),
  /** Of the callbacks. */
  neverShare: Share.default(0),
  /** Of the authorisations. */
  refusedShare: Share.default(0),
  /** Of the calls: answered 500, with nothing done. */
  failedShare: Share.default(0),
  /** Of the calls: done, and never answered. */
  hangShare: Share.default(0),
  /** The same seed and the same idempotency keys make the same choices, in whatever order calls come. */
  seed: z.string().max(100).default('daybook'),
})
export type Behaviour = z.output<typeof Behaviour>

/** What becomes of one operation on a payment. */
export interface Course {
  readonly answer: 'at-once' | 'pending'
  readonly redirect: boolean
  readonly deliveries: 0 | 1 | 2
  readonly refusal?: Refusal
}

export interface Choices {
  /** What goes wrong with one try of a call, the first being 1. */
  interference(card: CardBehaviour, key: string, attempt: number): 'none' | 'failure' | 'hang'
  /** Whether the authorisation of a payment is told after what follows it. */
  outOfOrder(card: CardBehaviour, key: string): boolean
  course(card: CardBehaviour, step: Step, key: string, outOfOrder: boolean): Course
}

/** Makes the choices that cards and settings leave to chance, each from the seed and the idempotency key of its call. */
export function choices(behaviour: Behaviour): Choices {
  function happens(share: number, what: string, key: string, attempt = 0): boolean {
    if (share === 0) return false
    const digest = createHash('sha256')
      .update(JSON.stringify([behaviour.seed, what, key, attempt]))
      .digest()
    return digest.readUInt32BE() / 2 ** 32 < share
  }

  function deliveries(card: CardBehaviour, key: string): Course['deliveries'] {
    if (card.callbacks === 'never') return 0
    if (card.callbacks === 'twice') return 2
    if (card.callbacks !== undefined) return 1
    if (happens(behaviour.neverShare, 'never', key)) return 0
    return happens(behaviour.twiceShare, 'twice', key) ? 2 : 1
  }

  function refusal(card: CardBehaviour, step: Step, key: string): Refusal | undefined {
    if (card.refuses?.step === step) return { code: card.refuses.code, reason: card.refuses.reason }
    if (step === 'authorise' && happens(behaviour.refusedShare, 'refused', key)) return cardDeclined
    return undefined
  }

  return {
    interference(card, key, attempt) {
      if (attempt <= (card.failures ?? 0)) return 'failure'
      if (attempt <= (card.hangs ?? 0)) return 'hang'
      if (happens(behaviour.failedShare, 'failed', key, attempt)) return 'failure'
      return happens(behaviour.hangShare, 'hang', key, attempt) ? 'hang' : 'none'
    },

    outOfOrder(card, key) {
      if (card.callbacks !== undefined) return card.callbacks === 'out-of-order'
      return happens(behaviour.outOfOrderShare, 'out-of-order', key)
    },

    course(card, step, key, outOfOrder) {
      const refused = refusal(card, step, key)
      const redirect = step === 'authorise' && card.redirect === true
      // What is told too late must be known from its answer, or nobody could ask for what is told before it.
      const late = step === 'authorise' ? 'at-once' : 'pending'
      return {
        answer: outOfOrder ? late : redirect ? 'pending' : (card.answer ?? behaviour.answer),
        redirect,
        deliveries: outOfOrder ? 1 : deliveries(card, key),
        ...(refused === undefined ? {} : { refusal: refused }),
      }
    },
  }
}
