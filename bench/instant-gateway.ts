import type { PaymentGateway } from '../src/workers/payment-gateway.ts'

/** A payment gateway that answers at once, as none outside does: what is measured is Daybook. */

export const gatewayName = 'instant'
/** A token that the gateway declines; all others are good. */
export const declinedToken = 'tok_declined'

export const instantGateway: PaymentGateway = {
  name: gatewayName,
  authorise: async ({ paymentId, token }) =>
    token === declinedToken
      ? { status: 'refused', code: 'card-declined', reason: 'The bank declined it' }
      : { status: 'succeeded', reference: `pay_${paymentId}` },
  capture: async ({ reference }) => ({ status: 'succeeded', reference }),
  refund: async ({ reference }) => ({ status: 'succeeded', reference }),
  cancel: async ({ reference }) => ({ status: 'succeeded', reference }),
  parseCallback() {
    throw new Error('It never calls back')
  },
}
