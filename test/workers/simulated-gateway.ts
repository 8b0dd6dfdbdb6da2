import {
  type FollowUpRequest,
  ForgedCallbackError,
  type GatewayAnswer,
  type GatewayNotice,
  type PaymentGateway,
} from '../../src/workers/payment-gateway.ts'

/** How it answers what it is asked for: at once, later by a callback, or not. */
export type Manner = 'succeeds' | 'pending' | 'refused'
/** A call that never arrives, or one whose answer is lost. */
export type Trouble = 'none' | 'unreachable' | 'answer-lost'

export interface GatewayBehaviour {
  readonly authorise: Manner
  readonly capture: Manner
  /** Whether it can let go of what still waits for the shopper. */
  readonly cancelsWaiting: boolean
  /** Asked before each call. */
  trouble(): Trouble
}

export interface SimulatedGateway extends PaymentGateway {
  /** What it holds and what it has taken and not given back, of all payments, in minor units. */
  money(): { readonly held: number; readonly taken: number }
  /** All that it has to say, in the order in which it happened. */
  readonly notices: readonly GatewayNotice[]
  /** The shopper approves or declines what waits for them. */
  approve(isApproved: boolean): void
  /** What it had left open is taken, or refused. */
  finishCaptures(isTaken: boolean): void
}

interface Account {
  status: 'waiting' | 'held' | 'taking' | 'taken' | 'refused' | 'let-go'
  readonly paymentId: string
  readonly reference: string
  readonly amount: number
  readonly currency: string
  refunded: number
}

/** The gateway can't be talked to just now. */
export class GatewayTrouble extends Error {}

const refused: GatewayAnswer = { status: 'refused', code: 'declined', reason: 'The bank declined it' }

/** A payment gateway with money in it, that does each call once and repeats its answer, and calls back about everything. */
export function simulatedGateway(behaviour: GatewayBehaviour, name = 'sandbox'): SimulatedGateway {
  const accounts = new Map<string, Account>()
  const answers = new Map<string, GatewayAnswer>()
  const notices: GatewayNotice[] = []

  function tell(kind: GatewayNotice['kind'], account: Account, more: Partial<GatewayNotice> = {}): void {
    const { paymentId, reference, amount, currency } = account
    const failure = kind.endsWith('refused') ? { code: 'declined', reason: 'The bank declined it' } : {}
    const occurredAt = '2026-01-15T09:30:00.000Z'
    const noticeId = `notice-${notices.length}`
    notices.push({ noticeId, kind, paymentId, reference, amount, currency, occurredAt, ...failure, ...more })
  }

  function once(key: string, answer: () => GatewayAnswer): Promise<GatewayAnswer> {
    const trouble = behaviour.trouble()
    if (trouble === 'unreachable') return Promise.reject(new GatewayTrouble('The gateway is unreachable'))
    const given = answers.get(key) ?? answer()
    answers.set(key, given)
    return trouble === 'none' ? Promise.resolve(given) : Promise.reject(new GatewayTrouble('The answer was lost'))
  }

  function hold(account: Account): GatewayAnswer {
    account.status = 'held'
    tell('authorised', account)
    return { status: 'succeeded', reference: account.reference }
  }

  function take(account: Account): GatewayAnswer {
    account.status = 'taken'
    tell('captured', account)
    return { status: 'succeeded', reference: account.reference }
  }

  function accountOf({ paymentId, reference }: FollowUpRequest): Account {
    const account = accounts.get(paymentId)
    if (account?.reference !== reference) throw new Error(`The gateway knows no payment ${reference}`)
    return account
  }

  return {
    name,
    notices,

    authorise: ({ paymentId, amount, currency, idempotencyKey }) =>
      once(idempotencyKey, () => {
        const account: Account = {
          status: 'waiting',
          paymentId,
          reference: `pay_${paymentId}`,
          amount,
          currency,
          refunded: 0,
        }
        accounts.set(paymentId, account)
        if (behaviour.authorise === 'succeeds') return hold(account)
        if (behaviour.authorise === 'pending') {
          return { status: 'pending', reference: account.reference, nextAction: { kind: 'none' } }
        }
        account.status = 'refused'
        tell('authorisation-refused', account)
        return refused
      }),

    capture: (request) =>
      once(request.idempotencyKey, () => {
        const account = accountOf(request)
        if (account.status !== 'held') return refused
        if (behaviour.capture === 'succeeds') return take(account)
        if (behaviour.capture === 'pending') {
          account.status = 'taking'
          return { status: 'pending', reference: account.reference, nextAction: { kind: 'none' } }
        }
        tell('capture-refused', account)
        return refused
      }),

    cancel: (request) =>
      once(request.idempotencyKey, () => {
        const account = accountOf(request)
        const isCancellable = account.status === 'held' || (account.status === 'waiting' && behaviour.cancelsWaiting)
        if (!isCancellable) return refused
        account.status = 'let-go'
        return { status: 'succeeded', reference: account.reference }
      }),

    refund: (request) =>
      once(request.idempotencyKey, () => {
        const account = accountOf(request)
        if (account.status !== 'taken' || account.refunded + request.amount > account.amount) return refused
        account.refunded += request.amount
        tell('refunded', account, { refundId: request.idempotencyKey, amount: request.amount })
        return { status: 'succeeded', reference: account.reference }
      }),

    parseCallback() {
      throw new ForgedCallbackError('The simulation hands its notices over itself')
    },

    money() {
      const all = [...accounts.values()]
      const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0)
      return {
        held: sum(all.filter(({ status }) => status === 'held' || status === 'taking').map(({ amount }) => amount)),
        taken: sum(all.filter(({ status }) => status === 'taken').map(({ amount, refunded }) => amount - refunded)),
      }
    },

    approve(isApproved) {
      for (const account of accounts.values()) {
        if (account.status !== 'waiting') continue
        if (isApproved) hold(account)
        else {
          account.status = 'refused'
          tell('authorisation-refused', account)
        }
      }
    },

    finishCaptures(isTaken) {
      for (const account of accounts.values()) {
        if (account.status !== 'taking') continue
        if (isTaken) take(account)
        else {
          account.status = 'held'
          tell('capture-refused', account)
        }
      }
    },
  }
}
