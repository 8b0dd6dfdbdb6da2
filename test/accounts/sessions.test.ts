import { describe, expect, test } from 'vitest'
import { endedSessions } from '../../src/accounts/ended-sessions.ts'
import { refreshTokens } from '../../src/accounts/refresh-token.ts'
import { sessions } from '../../src/accounts/sessions.ts'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { manualClock } from '../manual-clock.ts'

const hour = 3_600_000
const day = 24 * hour
const tokens = refreshTokens(new Uint8Array(32).fill(7))

function begun() {
  const clock = manualClock()
  const store = memoryCredentialStore()
  const failed = (error: unknown) => {
    throw error
  }
  const ended = endedSessions({ store, clock, onFailure: failed })
  const open = () => sessions({ store, tokens, ended, clock, lifetimeMs: 90 * day, idleMs: 30 * day })
  return { clock, store, open, ended, held: open() }
}

const tokenOf = (refreshed: { readonly refreshToken: string } | undefined) => refreshed?.refreshToken ?? 'none'

describe('a refresh token', () => {
  test('whose answer was lost is answered again with the same successor', async () => {
    const { held, clock } = begun()
    const { refreshToken } = await held.begin('ada')
    const first = await held.refresh(refreshToken)
    await clock.advance(30_000)
    expect(await held.refresh(refreshToken)).toEqual(first)
    expect(await held.refresh(tokenOf(first))).toBeDefined()
  })

  test('that is sent again after its successor was used ends the session, for the thief and the customer alike', async () => {
    const { held, ended } = begun()
    const { refreshToken: stolen, session } = await held.begin('ada')
    const first = await held.refresh(stolen)
    const second = await held.refresh(tokenOf(first))
    expect(await held.refresh(stolen)).toBeUndefined()
    expect(await held.refresh(tokenOf(second))).toBeUndefined()
    expect(await ended.has(session.id)).toBe(true)
  })

  test('that is sent again late ends the session, though its successor was never used', async () => {
    const { held, clock } = begun()
    const { refreshToken } = await held.begin('ada')
    const next = await held.refresh(refreshToken)
    await clock.advance(30_001)
    expect(await held.refresh(refreshToken)).toBeUndefined()
    expect(await held.refresh(tokenOf(next))).toBeUndefined()
  })

  test('that comes many times at once gives one successor', async () => {
    const { open, held } = begun()
    const { refreshToken } = await held.begin('ada')
    const processes = [held, open(), open()]
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, turn) => processes[turn % 3]?.refresh(refreshToken)),
    )
    expect(new Set(answers.map(tokenOf)).size).toBe(1)
    expect(await held.refresh(tokenOf(answers[0]))).toBeDefined()
  })

  test('that was not given out here does nothing to any session', async () => {
    const { held } = begun()
    const { refreshToken, session } = await held.begin('ada')
    const forged = refreshTokens(new Uint8Array(32).fill(8)).first(session.id).text
    for (const bad of [forged, `${refreshToken}A`, refreshToken.slice(0, -2), 'dbr_', 'nonsense'])
      expect(await held.refresh(bad)).toBeUndefined()
    expect(await held.refresh(refreshToken)).toBeDefined()
  })

  test('is nowhere in the store', async () => {
    const { held, store } = begun()
    const { refreshToken } = await held.begin('ada')
    await held.refresh(refreshToken)
    for await (const batch of store.entries()) expect(JSON.stringify(batch)).not.toContain(refreshToken.slice(30, 60))
  })
})

describe('a session', () => {
  test('ends when nobody uses it', async () => {
    const { held, clock } = begun()
    const { refreshToken } = await held.begin('ada')
    await clock.advance(29 * day)
    const used = await held.refresh(refreshToken)
    await clock.advance(29 * day)
    expect(await held.list('ada')).toHaveLength(1)
    await clock.advance(day)
    expect(await held.list('ada')).toEqual([])
    expect(await held.refresh(tokenOf(used))).toBeUndefined()
  })

  test('ends in any case some time after the log-in', async () => {
    const { held, clock } = begun()
    let last = (await held.begin('ada')).refreshToken
    for (let week = 1; week <= 12; week++) {
      await clock.advance(7 * day)
      last = tokenOf(await held.refresh(last))
    }
    expect((await held.list('ada'))[0]?.expiresAt).toBe(clock.now() + 6 * day)
    await clock.advance(6 * day)
    expect(await held.refresh(last)).toBeUndefined()
  })

  test('is one of 50 at most: the one that was used longest ago ends for another', async () => {
    const { held, clock } = begun()
    const first = await held.begin('ada')
    const others = []
    for (let turn = 0; turn < 50; turn++) {
      await clock.advance(1_000)
      others.push(await held.begin('ada'))
    }
    expect(await held.list('ada')).toHaveLength(50)
    expect(await held.refresh(first.refreshToken)).toBeUndefined()
    expect(await held.refresh(tokenOf(others[0]))).toBeDefined()
  })
})
