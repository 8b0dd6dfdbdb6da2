import { ForgedCallbackError, type GatewayAnswer, type PaymentGateway } from 'daybook/definitions'

export interface InvoiceOptions {
  /** Most that is sold on invoice, in minor units. */
  readonly limit: number
}

function agreed(paymentId: string): GatewayAnswer {
  return { status: 'succeeded', reference: `invoice-${paymentId}` }
}

/** Pays by invoice: up to a limit the shop trusts that its customers will pay. The token says who: the customer's own reference. */
export function invoiceGateway({ limit }: InvoiceOptions): PaymentGateway {
  return {
    name: 'invoice',
    async authorise({ paymentId, amount }) {
      if (amount <= limit) return agreed(paymentId)
      return { status: 'refused', code: 'invoice-limit', reason: 'This is too much for an invoice. Pay by card.' }
    },
    capture: async ({ paymentId }) => agreed(paymentId),
    refund: async ({ paymentId }) => agreed(paymentId),
    cancel: async ({ paymentId }) => agreed(paymentId),
    parseCallback() {
      throw new ForgedCallbackError('Invoices have no callbacks')
    },
  }
}
