import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { endedSessions } from '../../src/accounts/ended-sessions.ts'
import { refreshTokens } from '../../src/accounts/refresh-token.ts'
import { sessions } from '../../src/accounts/sessions.ts'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { memorySignal } from '../../src/adapters/memory/signal.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import { manualClock } from '../manual-clock.ts'

const day = 86_400_000

/** Processes that share what people log in with, and tell each other. */
function processes() {
  const clock = manualClock()
  const kept = memoryCredentialStore()
  const emitter = new EventEmitter()
  const failures: unknown[] = []
  /** Sessions that the store was asked for. */
  const asked: string[] = []
  /** What happens besides, when it is asked. */
  const meanwhile: { find?: () => Promise<void> } = {}
  const store = {
    ...kept,
    async find(kind: string, id: string) {
      asked.push(id)
      const found = await kept.find(kind, id)
      await meanwhile.find?.()
      return found
    },
  }

  /** @param isDeaf hears no signal, as where Redis is away */
  function open({ isDeaf = false } = {}) {
    const signal = memorySignal(emitter)
    let lose = () => {}
    const listen: typeof signal.listen = (run, onLost = () => {}) => {
      lose = onLost
      return isDeaf ? () => {} : signal.listen(run)
    }
    const ended = endedSessions({
      store,
      clock,
      signal: { send: signal.send, listen },
      onFailure: (error) => failures.push(error),
    })
    const tokens = refreshTokens(new Uint8Array(32))
    const held = sessions({ store: kept, tokens, ended, clock, lifetimeMs: day, idleMs: day })
    return { ended, held, signal, losesSignals: () => lose() }
  }
  return { clock, kept, emitter, failures, asked, meanwhile, open }
}

test('a session that one process ends is ended for the others, however it ends', async () => {
  const { open } = processes()
  const [one, other] = [open(), open()]
  const ways = [
    async (id: string) => void (await one.held.end('ada', id)),
    async () => await one.held.endAll('ada'),
    async (_id: string, first: string, second: string) => {
      await one.held.refresh(second)
      await one.held.refresh(first) // a token that was replaced: somebody has stolen it
    },
  ]
  for (const end of ways) {
    const { session, refreshToken } = await one.held.begin('ada')
    const next = await other.held.refresh(refreshToken)
    expect(await other.ended.has(session.id)).toBe(false)
    await end(session.id, refreshToken, next?.refreshToken ?? '')
    expect(await one.ended.has(session.id)).toBe(true)
    await expect.poll(() => other.ended.has(session.id)).toBe(true)
  }
})

test('the store is asked once for each session, and again only when one of the same part of them has ended', async () => {
  const { open, asked } = processes()
  const [one, other] = [open(), open()]
  const begun = await Promise.all(Array.from({ length: 600 }, () => one.held.begin(`customer`)))
  const ids = begun.map(({ session }) => session.id).slice(-50)
  const [ending = ''] = ids
  const look = async () => {
    asked.length = 0
    for (const id of ids) await other.ended.has(id)
    return [...asked]
  }
  expect(await look()).toEqual(ids)
  expect(await look()).toEqual([])
  await one.held.end('customer', ending)
  await expect.poll(look).toContain(ending)
  expect(await look()).toEqual([])
})

test('what waits to be told is bounded, however many sessions end', async () => {
  const { open, emitter } = processes()
  const { held } = open()
  const names = new Set<string>()
  emitter.on('signal', (sent: readonly string[]) => {
    for (const name of sent) names.add(name)
  })
  for (let turn = 0; turn < 2_000; turn++) {
    const { session } = await held.begin(`customer-${turn}`)
    await held.end(`customer-${turn}`, session.id)
  }
  expect(names.size).toBeGreaterThan(200)
  expect(names.size).toBeLessThanOrEqual(256)
})

test('a process that has missed signals looks for itself as soon as it knows', async () => {
  const { open } = processes()
  const [one, deaf] = [open(), open({ isDeaf: true })]
  const { session } = await one.held.begin('ada')
  expect(await deaf.ended.has(session.id)).toBe(false)
  await one.held.end('ada', session.id)
  expect(await deaf.ended.has(session.id)).toBe(false)
  deaf.losesSignals()
  expect(await deaf.ended.has(session.id)).toBe(true)
})

test('a process that starts afterwards knows it, too', async () => {
  const { open } = processes()
  const { held } = open()
  const { session } = await held.begin('ada')
  await held.end('ada', session.id)
  expect(await open().ended.has(session.id)).toBe(true)
})

test('a signal alone ends no session', async () => {
  const { open } = processes()
  const [one, other] = [open(), open()]
  const { session } = await one.held.begin('ada')
  for (const id of [session.id, 'nonsense']) other.ended.tell(id)
  other.signal.send(['session:zz', '*'])
  await expect.poll(() => one.ended.has(session.id)).toBe(false)
})

test('one that ends here while the store is asked is ended, and so is one that ends elsewhere while it is', async () => {
  const { open, meanwhile } = processes()
  const [one, other] = [open(), open()]
  for (const by of [one, other]) {
    const { session } = await one.held.begin('ada')
    meanwhile.find = async () => {
      delete meanwhile.find
      await by.held.end('ada', session.id)
    }
    const first = await one.ended.has(session.id)
    expect(first).toBe(by === one)
    await expect.poll(() => one.ended.has(session.id)).toBe(true)
  }
})

test('where the store can not be asked tokens are good as before, it is left alone for a second, and then asked again', async () => {
  const { open, clock, meanwhile, asked, failures } = processes()
  const { ended, held } = open()
  const { session } = await held.begin('ada')
  const other = open()
  await other.held.end('ada', session.id)
  meanwhile.find = () => Promise.reject(new UnavailableError('credentials-unavailable', 'Try again.'))
  const fresh = open()
  for (let turn = 0; turn < 5; turn++) expect(await fresh.ended.has(session.id)).toBe(false)
  expect([asked.length, failures.length]).toEqual([1, 1])
  delete meanwhile.find
  await clock.advance(1_000)
  expect(await fresh.ended.has(session.id)).toBe(true)
  await expect.poll(() => ended.has(session.id)).toBe(true)
})

test('a store that does not answer holds nobody up for longer than a second, and is believed when it does', async () => {
  const { open, clock, meanwhile, failures } = processes()
  const { ended, held } = open()
  const { session } = await held.begin('ada')
  const other = open({ isDeaf: true })
  await other.held.end('ada', session.id)
  const { promise: frozen, resolve: thaw } = Promise.withResolvers<void>()
  meanwhile.find = () => frozen
  const fresh = open()
  const asked = fresh.ended.has(session.id)
  await clock.advance(1_000)
  expect(await asked).toBe(false)
  expect(await fresh.ended.has(session.id)).toBe(false)
  expect(failures).toHaveLength(1)
  thaw()
  await expect.poll(() => fresh.ended.has(session.id)).toBe(true)
  expect(await ended.has(session.id)).toBe(true)
})

test('a session that could not be ended is as good in the process that tried as in the others', async () => {
  const { open, kept, clock, emitter } = processes()
  const other = open()
  const signal = memorySignal(emitter)
  const ended = endedSessions({ store: kept, clock, signal, onFailure: () => {} })
  const isAway = { value: true }
  const store = {
    ...kept,
    async remove(kind: string, id: string) {
      if (isAway.value) throw new UnavailableError('credentials-unavailable', 'Try again.')
      await kept.remove(kind, id)
    },
  }
  const tokens = refreshTokens(new Uint8Array(32))
  const held = sessions({ store, tokens, ended, clock, lifetimeMs: day, idleMs: day })
  const { session } = await held.begin('ada')
  await expect(held.end('ada', session.id)).rejects.toThrow('Try again.')
  expect([await ended.has(session.id), await other.ended.has(session.id)]).toEqual([false, false])

  isAway.value = false
  expect(await held.end('ada', session.id)).toBe(true)
  expect(await ended.has(session.id)).toBe(true)
  await expect.poll(() => other.ended.has(session.id)).toBe(true)
})

test('a session that was removed, though nobody was told so, has ended', async () => {
  const { kept, clock } = processes()
  const ended = endedSessions({ store: kept, clock, onFailure: () => {} })
  const remove = async (kind: string, id: string) => {
    await kept.remove(kind, id)
    throw new UnavailableError('credentials-unavailable', 'Try again.')
  }
  const tokens = refreshTokens(new Uint8Array(32))
  const held = sessions({ store: { ...kept, remove }, tokens, ended, clock, lifetimeMs: day, idleMs: day })
  const { session } = await held.begin('ada')
  expect(await ended.has(session.id)).toBe(false)
  await expect(held.end('ada', session.id)).rejects.toThrow('Try again.')
  expect(await ended.has(session.id)).toBe(true)
})

test('what the store said while a session was being ended in vain is not believed', async () => {
  const { kept, clock } = processes()
  const asked = Promise.withResolvers<void>()
  const store = {
    async find(kind: string, id: string) {
      const found = await kept.find(kind, id)
      await asked.promise
      return found
    },
  }
  const ended = endedSessions({ store, clock, onFailure: () => {} })
  const held = sessions({
    store: kept,
    tokens: refreshTokens(new Uint8Array(32)),
    ended,
    clock,
    lifetimeMs: day,
    idleMs: day,
  })
  const { session } = await held.begin('ada')
  const early = ended.has(session.id)
  ended.note(session.id)
  await kept.remove('session', session.id)
  ended.takeBack(session.id)
  asked.resolve()
  expect(await early).toBe(false)
  expect(await ended.has(session.id)).toBe(true)
})
