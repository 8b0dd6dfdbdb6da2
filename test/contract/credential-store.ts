import { describe, expect, onTestFinished, test } from 'vitest'
import type { Credential, CredentialStore } from '../../src/engine/credential-store.ts'

/** What every credential store must do. */

export interface CredentialStoreHarness {
  readonly store: CredentialStore
  /** Opens the same credentials again, as another process does; absent where they live in one process. */
  readonly open?: () => Promise<CredentialStore>
  dispose(): Promise<void>
}

function session(id: string, rest: Partial<Credential> = {}): Credential {
  return { kind: 'session', id, owner: 'ada', expiresAt: null, version: 1, data: `{"of":"${id}"}`, ...rest }
}

async function all(store: CredentialStore): Promise<readonly Credential[]> {
  const found: Credential[] = []
  for await (const batch of store.entries()) found.push(...batch)
  return found.sort((one, other) => (`${one.kind} ${one.id}` < `${other.kind} ${other.id}` ? -1 : 1))
}

export function credentialStoreContract(create: () => Promise<CredentialStoreHarness>): void {
  async function empty(): Promise<CredentialStoreHarness> {
    const harness = await create()
    onTestFinished(harness.dispose)
    return harness
  }

  describe('what is written', () => {
    test('is found by kind and id, as it was given', async () => {
      const { store } = await empty()
      expect(await store.find('session', 'one')).toBeUndefined()
      const written = session('one', { expiresAt: 1_800_000_000_000 })
      expect(await store.write(written)).toBe(true)
      const nobodys = session('one', { kind: 'attempts', owner: null })
      expect(await store.write(nobodys)).toBe(true)
      expect(await store.find('session', 'one')).toEqual(written)
      expect(await store.find('attempts', 'one')).toEqual(nobodys)
      expect(await store.find('session', 'two')).toBeUndefined()
    })

    test('takes only the place of the version before it', async () => {
      const { store } = await empty()
      expect(await store.write(session('one', { version: 2 }))).toBe(false)
      await store.write(session('one'))
      expect(await store.write(session('one', { data: '{}' }))).toBe(false)
      expect(await store.write(session('one', { version: 3, data: '{}' }))).toBe(false)
      expect(await store.find('session', 'one')).toEqual(session('one'))
      const next = session('one', { version: 2, owner: 'bob', expiresAt: 5, data: '{}' })
      expect(await store.write(next)).toBe(true)
      expect(await store.find('session', 'one')).toEqual(next)
    })

    test('is written by one of many who write the same version at once', async () => {
      const { store } = await empty()
      const others = Array.from({ length: 20 }, (_, index) => session('one', { data: `${index}` }))
      const written = await Promise.all(others.map((each) => store.write(each)))
      expect(written.filter(Boolean)).toHaveLength(1)
      expect(await store.find('session', 'one')).toEqual(others[written.indexOf(true)])
    })

    test('can be removed, and written anew', async () => {
      const { store } = await empty()
      await store.write(session('one'))
      await store.remove('session', 'one')
      await store.remove('session', 'one')
      expect(await store.find('session', 'one')).toBeUndefined()
      expect(await store.write(session('one', { version: 2 }))).toBe(false)
      expect(await store.write(session('one'))).toBe(true)
    })

    test('is there and gone at once, whatever it is kept with', async () => {
      const { store, open } = await empty()
      const other = (await open?.()) ?? store
      if (other !== store) onTestFinished(() => other.close())
      const counted = session('one', { kind: 'attempts' })
      const written = await Promise.all([store.write(counted, 'normal'), store.write(session('one'), 'full')])
      expect(written).toEqual([true, true])
      expect(await store.write(counted, 'normal')).toBe(false)
      expect(await other.find('attempts', 'one')).toEqual(counted)
      await Promise.all([store.remove('attempts', 'one', 'normal'), store.remove('session', 'one', 'full')])
      expect(await all(other)).toEqual([])
    })

    test('is seen by others who open it, now and later', async () => {
      const { store, open } = await empty()
      if (open === undefined) return
      await store.write(session('one'))
      const other = await open()
      onTestFinished(() => other.close())
      expect(await other.find('session', 'one')).toEqual(session('one'))
      expect(await other.write(session('one', { version: 2 }))).toBe(true)
      expect(await store.write(session('one', { version: 2, data: 'mine' }))).toBe(false)
      await other.close()
      const again = await open()
      onTestFinished(() => again.close())
      expect(await again.find('session', 'one')).toEqual(session('one', { version: 2 }))
    })
  })

  describe("a person's", () => {
    test('is listed by kind in the order of ids, up to a limit', async () => {
      const { store } = await empty()
      for (const id of ['c', 'a', 'b']) await store.write(session(id))
      await store.write(session('d', { owner: 'bob' }))
      await store.write(session('e', { kind: 'account' }))
      expect((await store.ofOwner('session', 'ada', 10)).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
      expect(await store.ofOwner('session', 'ada', 2)).toEqual([session('a'), session('b')])
      expect(await store.ofOwner('account', 'bob', 10)).toEqual([])
    })

    test('goes when the person is forgotten, and nothing else does', async () => {
      const { store } = await empty()
      await store.write(session('one'))
      await store.write(session('one', { kind: 'account' }))
      await store.write(session('two', { owner: 'bob' }))
      await store.write(session('three', { owner: null }))
      await store.forget('ada')
      await store.forget('ada')
      expect((await all(store)).map(({ id }) => id)).toEqual(['three', 'two'])
    })
  })

  test('what has expired is swept, the oldest first and so many at a time', async () => {
    const { store } = await empty()
    for (const expiresAt of [30, 10, 20, 40]) await store.write(session(`at-${expiresAt}`, { expiresAt }))
    await store.write(session('stays'))
    expect(await store.sweep(9, 10)).toBe(0)
    expect(await store.sweep(30, 2)).toBe(2)
    expect(await store.sweep(30, 10)).toBe(1)
    expect((await all(store)).map(({ id }) => id)).toEqual(['at-40', 'stays'])
  })

  describe('a move', () => {
    test('brings all, in batches, into an empty store', async () => {
      const [{ store: source }, { store: target }] = [await empty(), await empty()]
      const many = Array.from({ length: 1_234 }, (_, index) =>
        session(`s${index}`, { owner: index % 3 === 0 ? null : 'ada', expiresAt: index % 2 === 0 ? null : index }),
      )
      await source.restore(many)
      for await (const batch of source.entries()) await target.restore(batch)
      expect(await all(target)).toEqual(await all(source))
      expect(await all(target)).toHaveLength(many.length)
    })

    test('keeps the higher version where both have something', async () => {
      const { store } = await empty()
      await store.write(session('newer'))
      await store.write(session('newer', { version: 2 }))
      await store.write(session('older'))
      await store.restore([session('newer', { data: 'old' }), session('older', { version: 7, data: 'new' })])
      expect(await all(store)).toEqual([
        session('newer', { version: 2 }),
        session('older', { version: 7, data: 'new' }),
      ])
      await store.restore([])
      expect(await store.write(session('older', { version: 8 }))).toBe(true)
    })

    test('of an empty store has no batches', async () => {
      const { store } = await empty()
      expect(await all(store)).toEqual([])
    })
  })
}
