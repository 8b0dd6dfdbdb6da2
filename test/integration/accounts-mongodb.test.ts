import { EventEmitter } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { attempts } from '../../src/accounts/attempts.ts'
import { endedSessions } from '../../src/accounts/ended-sessions.ts'
import { refreshTokens } from '../../src/accounts/refresh-token.ts'
import { sessions } from '../../src/accounts/sessions.ts'
import { memorySignal } from '../../src/adapters/memory/signal.ts'
import { connectMongo } from '../../src/adapters/mongodb/connection.ts'
import { mongoCredentialStore } from '../../src/adapters/mongodb/credential-store.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { emptyDatabase, whyNotRun } from '../adapters/mongodb/empty-database.ts'
import { ask, openAccount, password } from './account-client.ts'
import { openShop } from './open-shop.ts'

const ada = 'ada@example.com'

function emptyServer() {
  const database = emptyDatabase()
  onTestFinished(database.dispose)
  return database
}

test.skipIf(whyNotRun !== '')(
  `accounts in MongoDB: log in, refresh, be locked, and be forgotten${whyNotRun}`,
  { timeout: 60_000 },
  async () => {
    const { url } = emptyServer()
    const shop = await openShop({ MONGODB_URL: url })
    const { refreshToken, token, customerId } = await openAccount(shop, ada)
    const next = (await ask(shop, 'refresh', { refreshToken })).body
    await ask(shop, 'refresh', { refreshToken: next.refreshToken })
    expect((await ask(shop, 'refresh', { refreshToken })).status).toBe(401)
    const guesses = await Promise.all(
      Array.from({ length: 20 }, (_, turn) => ask(shop, 'log-in', { email: ada, password: `guess ${turn}` })),
    )
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(10)
    expect((await ask(shop, 'log-in', { email: ada, password })).status).toBe(429)
    await shop.close()
    const again = await openShop({ MONGODB_URL: url }, shop.directory)
    expect((await ask(again, 'log-in', { email: ada, password })).status).toBe(429)
    await again.post(`/v1/customers/${customerId}/forget`)
    expect((await again.send('GET', '/v1/accounts/me', { token })).status).toBe(401)
    const connection = connectMongo(url)
    onTestFinished(() => connection.close())
    await expect.poll(() => mongoCredentialStore(connection).ofOwner('account', customerId, 1)).toEqual([])
  },
)

test.skipIf(whyNotRun !== '')(
  `processes that share MongoDB count tries together, and rotate and end one session as one${whyNotRun}`,
  { timeout: 60_000 },
  async () => {
    const { connect } = emptyServer()
    const stores = [mongoCredentialStore(connect()), mongoCredentialStore(connect())]
    const hash = (name: string) => name
    const counts = stores.map((store) => attempts({ store, clock: systemClock, hash }))
    const policy = { limit: 10, windowMs: 900_000 }
    const tries = await Promise.allSettled(
      Array.from({ length: 40 }, (_, turn) => counts[turn % 2]?.take('ada', policy)),
    )
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)

    const tokens = refreshTokens(new Uint8Array(32))
    const times = { clock: systemClock, lifetimeMs: 86_400_000, idleMs: 86_400_000 }
    const emitter = new EventEmitter()
    const failures: unknown[] = []
    const onFailure = (error: unknown) => void failures.push(error)
    const [one, other] = stores.map((store) => {
      const ended = endedSessions({ store, clock: systemClock, signal: memorySignal(emitter), onFailure })
      return { ended, ...sessions({ store, tokens, ended, ...times }) }
    })
    const begun = await one?.begin('ada')
    const answers = await Promise.all([one, other, one, other].map((each) => each?.refresh(begun?.refreshToken ?? '')))
    expect(new Set(answers.map((answer) => answer?.refreshToken)).size).toBe(1)
    expect(answers[0]?.refreshToken).toMatch(/^dbr_/)

    const { id = '' } = begun?.session ?? {}
    expect([await one?.ended.has(id), await other?.ended.has(id)]).toEqual([false, false])
    await one?.end('ada', id)
    await expect.poll(() => other?.ended.has(id)).toBe(true)
    expect([await one?.ended.has(id), failures]).toEqual([true, []])
  },
)
