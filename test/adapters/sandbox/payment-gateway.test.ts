import { describe } from 'vitest'
import { paymentGatewayContract } from '../../contract/payment-gateway.ts'
import { cards, startSandbox } from './sandbox.ts'

const numbers = { succeeds: cards.succeeds, refused: cards.declined, pending: cards.pending }

for (const answer of ['at-once', 'pending'] as const) {
  describe(`the sandbox that answers ${answer}`, () => {
    paymentGatewayContract(async () => {
      const sandbox = await startSandbox({ behaviour: { answer } })
      return {
        gateway: sandbox.gateway,
        token: (card) => sandbox.token(numbers[card]),
        nextCallback: sandbox.receiver.next,
        resend: async (reference) => {
          await sandbox.post(`/v1/payments/${reference}/callbacks/resend`, {})
        },
        dispose: async () => {},
      }
    })
  })
}
