import { expect, test } from 'vitest'
import { endedSessions } from '../../../src/accounts/ended-sessions.ts'
import { refreshTokens } from '../../../src/accounts/refresh-token.ts'
import { sessions } from '../../../src/accounts/sessions.ts'
import { memoryCredentialStore } from '../../../src/adapters/memory/credential-store.ts'
import { logIns } from '../../../src/api/accounts/log-in.ts'
import { positionTokens } from '../../../src/api/position-token.ts'
import { tokens } from '../../../src/api/tokens.ts'
import { UnavailableError } from '../../../src/engine/errors.ts'
import { manualClock } from '../../manual-clock.ts'

test('a log-in goes on without the cart: what the shopper sent is no failure of the shop, what it could not do is', async () => {
  const clock = manualClock()
  const failures: unknown[] = []
  const lifetimes = { lifetimeMs: 3_600_000, idleMs: 3_600_000 }
  const onFailure = (error: unknown) => void failures.push(error)
  const store = memoryCredentialStore()
  const keys = [{ kid: '1', secret: new Uint8Array(32).fill(1) }]
  const signed = tokens({ keys, audiences: ['shop'], lifetimesMs: { customer: 900_000, guest: 3_600_000 }, clock })
  const unavailable = new UnavailableError('busy', 'Try again.')
  const { begin } = logIns({
    tokens: signed,
    sessions: sessions({
      store,
      ended: endedSessions({ store, clock, onFailure }),
      tokens: refreshTokens(new Uint8Array(32)),
      clock,
      ...lifetimes,
    }),
    take: async () => {
      throw unavailable
    },
    positions: positionTokens('log'),
    onFailure,
  })
  const logIn = (guestToken: string) =>
    begin({ customerId: 'ada', guestToken, request: { correlationId: 'test-0001' } })

  expect(await logIn('made up')).toMatchObject({ customerId: 'ada', cart: null })
  expect(failures).toEqual([])
  expect(await logIn((await signed.issue('guest', 'guest-1')).token)).toMatchObject({ customerId: 'ada', cart: null })
  expect(failures).toEqual([unavailable])
})
