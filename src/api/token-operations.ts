import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { Id, Timestamp } from '../domain/values.ts'
import { anyone, staff } from '../engine/access.ts'
import { type Operation, operation } from './operation-route.ts'
import type { Tokens } from './tokens.ts'

const Issued = z.object({
  token: z.string().meta({
    description: 'To be sent as `Authorization: Bearer`',
    example: 'eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJraW5kIjoiZ3Vlc3QifQ.c2lnbmF0dXJl',
  }),
  customerId: Id.meta({ description: 'Who it stands for', example: '0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88' }),
  expiresAt: Timestamp.meta({ description: 'Until when it is good', example: '2026-02-14T09:30:00.000Z' }),
})

export interface TokenOptions {
  readonly tokens: Tokens
  /** Throws a Rejection for who is not registered, or no longer. */
  assertCustomer(id: string): Promise<void>
  /** For one address. */
  readonly guestTokensPerMinute: number
}

/** How shoppers get their tokens. */
export function tokenOperations(options: TokenOptions): readonly Operation[] {
  const { tokens, assertCustomer, guestTokensPerMinute } = options
  return [
    operation({
      name: 'issueGuestToken',
      method: 'POST',
      path: '/v1/guest-tokens',
      summary: 'Begin to shop as a guest',
      description: 'Keep the token: carts and orders of the guest can be seen with it alone.',
      who: anyone(),
      parameters: z.object({}),
      result: Issued,
      status: 201,
      requestsPerMinute: guestTokensPerMinute,
      run: async () => {
        const customerId = randomUUID()
        return { customerId, ...(await tokens.issue('guest', customerId)) }
      },
    }),
    operation({
      name: 'issueCustomerToken',
      method: 'POST',
      path: '/v1/customers/{customerId}/tokens',
      summary: 'Issue a token for a registered customer',
      description:
        'For the shop’s own log-in, after it has made sure who it is: an access token, good for 15 minutes if the shop has not set another time. Ask for another one when it has expired. The scope lets a key act as any customer.',
      who: staff('tokens'),
      parameters: z.object({ customerId: Id }),
      result: Issued,
      status: 201,
      run: async ({ parameters: { customerId } }) => {
        await assertCustomer(customerId)
        return { customerId, ...(await tokens.issue('customer', customerId)) }
      },
    }),
  ]
}
