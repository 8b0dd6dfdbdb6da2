import { describe, expect, onTestFinished, test } from 'vitest'
import type { KeyVault, VaultEntry } from '../../src/engine/key-vault.ts'

/** What every key vault must do. */

export interface KeyVaultHarness {
  readonly vault: KeyVault
  /** Another vault over the same storage, as another thread or the next process opens it; absent where nothing outlives the vault. */
  readonly open?: () => Promise<KeyVault>
  /** Lets the time pass for which another vault may go by what it knew; absent where there is none. */
  readonly outlast?: () => void
  /** Lets go of everything, and deletes it. */
  dispose(): Promise<void>
}

/**
 * Defines the tests of the port.
 * @param harness makes an empty vault
 */
export function keyVaultContract(harness: () => Promise<KeyVaultHarness>): void {
  async function emptyVault(): Promise<KeyVaultHarness> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    return made
  }

  async function entriesOf(vault: KeyVault): Promise<VaultEntry[]> {
    return (await Array.fromAsync(vault.entries())).flat()
  }

  /** Everything that a vault holds, whatever the order. */
  async function entrySet(vault: KeyVault): Promise<Set<string>> {
    return new Set((await entriesOf(vault)).map((entry) => JSON.stringify(entry)))
  }

  describe('a key', () => {
    test('is made on the first call, and the same ever after', async () => {
      const { vault } = await emptyVault()
      const key = await vault.keyFor('ada')
      expect(key).toHaveLength(32)
      expect(await vault.keyFor('ada')).toEqual(key)
      expect(await vault.keyFor('bob')).not.toEqual(key)
    })

    test('is one, however many ask for it at once', async () => {
      const { vault } = await emptyVault()
      const persons = Array.from({ length: 200 }, (_, index) => `person-${index % 100}`)
      const keys = await Promise.all(persons.map((person) => vault.keyFor(person)))
      expect(keys.slice(0, 100)).toEqual(keys.slice(100))
      expect(new Set(keys.map((key) => Buffer.from(key ?? []).toString('hex'))).size).toBe(100)
    })

    test('is not changed by who was given it', async () => {
      const { vault } = await emptyVault()
      const key = Uint8Array.from((await vault.keyFor('ada')) ?? [])
      for (let round = 0; round < 2; round++) (await vault.keyFor('ada'))?.fill(0)
      ;(await vault.keys(['ada'])).get('ada')?.fill(0)
      expect(await vault.keyFor('ada')).toEqual(key)
      const [one, other] = await Promise.all([vault.keyFor('bob'), vault.keyFor('bob')])
      one?.fill(0)
      expect(await vault.keyFor('bob')).toEqual(other)
    })

    test('of several persons are found together, and none is made', async () => {
      const { vault } = await emptyVault()
      const [ada, bob] = [await vault.keyFor('ada'), await vault.keyFor('bob')]
      await vault.keyFor('eve')
      await vault.forget('eve')
      expect(await vault.keys(['bob', 'nobody', 'ada', 'eve', 'ada'])).toEqual(
        new Map([
          ['bob', bob],
          ['ada', ada],
        ]),
      )
      expect(await vault.keys(['nobody'])).toEqual(new Map())
      expect(await vault.keys([])).toEqual(new Map())
    })
  })

  describe('a person who was forgotten', () => {
    test('has no key, and never gets one again', async () => {
      const { vault } = await emptyVault()
      const bob = await vault.keyFor('bob')
      for (let time = 0; time < 2; time++) await vault.keyFor('ada')
      await vault.keys(['ada'])
      await vault.forget('ada')
      expect(await vault.keys(['ada'])).toEqual(new Map())
      expect(await vault.keyFor('ada')).toBeUndefined()
      expect(await vault.keys(['ada', 'bob'])).toEqual(new Map([['bob', bob]]))
      expect(await vault.keyFor('bob')).toEqual(bob)
    })

    test('can be forgotten again, and before there was a key', async () => {
      const { vault } = await emptyVault()
      await vault.forget('ada')
      await vault.forget('ada')
      expect(await vault.keyFor('ada')).toBeUndefined()
    })

    test('while the key is being made has none in the end', async () => {
      const { vault } = await emptyVault()
      const being = vault.keyFor('ada')
      await vault.forget('ada')
      await being
      expect(await vault.keyFor('ada')).toBeUndefined()
      expect(await vault.keys(['ada'])).toEqual(new Map())
    })
  })

  describe('a secret', () => {
    test('is made on the first call with a name, and the same ever after', async () => {
      const { vault } = await emptyVault()
      const [secret, again] = await Promise.all([vault.secret('hashes'), vault.secret('hashes')])
      expect(secret).toHaveLength(32)
      expect(again).toEqual(secret)
      expect(await vault.secret('hashes')).toEqual(secret)
      expect(await vault.secret('tokens')).not.toEqual(secret)
    })

    test('is no person, and forgetting one of its name changes nothing', async () => {
      const { vault } = await emptyVault()
      const secret = await vault.secret('ada')
      expect(await vault.keyFor('ada')).not.toEqual(secret)
      await vault.forget('ada')
      expect(await vault.secret('ada')).toEqual(secret)
    })
  })

  describe('all that it holds', () => {
    test('is keys, secrets and whom it forgot, each once, without a key of those', async () => {
      const { vault } = await emptyVault()
      expect(await entriesOf(vault)).toEqual([])
      const [ada, secret] = [await vault.keyFor('ada'), await vault.secret('ada')]
      await vault.keyFor('eve')
      await vault.forget('eve')
      await vault.forget('nobody')
      const entries = await entriesOf(vault)
      expect(entries).toHaveLength(4)
      expect(new Set(entries)).toEqual(
        new Set([
          { kind: 'key', name: 'ada', bytes: ada },
          { kind: 'secret', name: 'ada', bytes: secret },
          { kind: 'forgotten', name: 'eve' },
          { kind: 'forgotten', name: 'nobody' },
        ]),
      )
      for (const entry of entries) if (entry.kind !== 'forgotten') entry.bytes.fill(0)
      expect(await vault.keys(['ada'])).toEqual(new Map([['ada', ada]]))
      expect(await vault.secret('ada')).toEqual(secret)
    })

    test('comes in batches, whatever is forgotten between them', async () => {
      const { vault } = await emptyVault()
      const persons = Array.from({ length: 1_200 }, (_, index) => `person-${index}`)
      await Promise.all(persons.map((person) => vault.keyFor(person)))
      const seen: string[] = []
      for await (const batch of vault.entries()) {
        expect(batch.length).toBeLessThanOrEqual(1_000)
        if (seen.length === 0) for (const person of persons.slice(0, 5)) await vault.forget(person)
        seen.push(...batch.map(({ name }) => name))
      }
      expect(seen).toHaveLength(persons.length)
      expect(new Set(seen)).toEqual(new Set(persons))
    })

    test('moves into another vault, twice if need be', async () => {
      const [{ vault: from }, { vault: to }] = [await emptyVault(), await emptyVault()]
      const persons = Array.from({ length: 1_100 }, (_, index) => `person-${index}`)
      await Promise.all(persons.map((person) => from.keyFor(person)))
      for (const person of ['person-1', 'person-700', 'person-1099']) await from.forget(person)
      const secret = await from.secret('hashes')
      for (let time = 0; time < 2; time++) for await (const batch of from.entries()) await to.restore(batch)
      expect(await entrySet(to)).toEqual(await entrySet(from))
      expect(await to.keyFor('person-0')).toEqual(await from.keyFor('person-0'))
      expect(await to.keyFor('person-1')).toBeUndefined()
      expect(await to.secret('hashes')).toEqual(secret)
    })

    test('is not changed by who gave or was given it', async () => {
      const { vault } = await emptyVault()
      const bytes = new Uint8Array(32).fill(7)
      await vault.restore([{ kind: 'key', name: 'ada', bytes }])
      bytes.fill(0)
      expect(await vault.keyFor('ada')).toEqual(new Uint8Array(32).fill(7))
    })
  })

  describe('restoring', () => {
    const bytes = new Uint8Array(32).fill(7)

    test('keeps what is there, and adds the rest', async () => {
      const { vault } = await emptyVault()
      const [ada, secret] = [await vault.keyFor('ada'), await vault.secret('hashes')]
      await vault.restore([])
      await vault.restore([
        { kind: 'key', name: 'ada', bytes: ada ?? bytes },
        { kind: 'secret', name: 'hashes', bytes: secret },
        { kind: 'key', name: 'bob', bytes },
        { kind: 'secret', name: 'tokens', bytes },
      ])
      expect(await vault.keys(['ada', 'bob'])).toEqual(
        new Map([
          ['ada', ada],
          ['bob', bytes],
        ]),
      )
      expect([await vault.secret('hashes'), await vault.secret('tokens')]).toEqual([secret, bytes])
    })

    test('gives nobody back who was forgotten here', async () => {
      const { vault } = await emptyVault()
      await vault.forget('ada')
      await vault.restore([{ kind: 'key', name: 'ada', bytes }])
      expect(await vault.keyFor('ada')).toBeUndefined()
      expect(await vault.keys(['ada'])).toEqual(new Map())
      expect(await entriesOf(vault)).toEqual([{ kind: 'forgotten', name: 'ada' }])
    })

    test('forgets who was forgotten there, whatever the key, also within a batch', async () => {
      const { vault } = await emptyVault()
      await vault.keyFor('ada')
      await vault.keys(['ada'])
      await vault.restore([
        { kind: 'key', name: 'ada', bytes },
        { kind: 'key', name: 'bob', bytes },
        { kind: 'forgotten', name: 'bob' },
        { kind: 'forgotten', name: 'ada' },
        { kind: 'forgotten', name: 'eve' },
      ])
      for (const person of ['ada', 'bob', 'eve']) expect(await vault.keyFor(person)).toBeUndefined()
      expect(await vault.keys(['ada', 'bob', 'eve'])).toEqual(new Map())
      expect(new Set(await entriesOf(vault))).toEqual(
        new Set(['ada', 'bob', 'eve'].map((name) => ({ kind: 'forgotten', name }))),
      )
    })

    test.each(['key', 'secret'] as const)(
      'refuses a %s with other bytes, and takes nothing of the batch',
      async (kind) => {
        const { vault } = await emptyVault()
        const [ada, secret] = [await vault.keyFor('ada'), await vault.secret('ada')]
        const batch: VaultEntry[] = [
          { kind: 'key', name: 'bob', bytes },
          { kind: 'secret', name: 'tokens', bytes },
          { kind: 'forgotten', name: 'eve' },
          { kind, name: 'ada', bytes },
        ]
        await expect(vault.restore(batch)).rejects.toThrow(`other bytes as the ${kind} of ada`)
        expect([await vault.keyFor('ada'), await vault.secret('ada')]).toEqual([ada, secret])
        expect(await entriesOf(vault)).toHaveLength(2)
        expect(await vault.keyFor('bob')).not.toEqual(bytes)
      },
    )

    test('refuses what is no key', async () => {
      const { vault } = await emptyVault()
      for (const kind of ['key', 'secret'] as const) {
        await expect(vault.restore([{ kind, name: 'ada', bytes: bytes.subarray(1) }])).rejects.toThrow('31 bytes')
      }
      expect(await entriesOf(vault)).toEqual([])
    })
  })

  describe('storage', () => {
    test('keeps keys, secrets and whom it forgot', async ({ skip }) => {
      const { vault, open } = await emptyVault()
      if (open === undefined) return skip('nothing outlives the vault')
      const [ada, secret] = [await vault.keyFor('ada'), await vault.secret('hashes')]
      await vault.keyFor('eve')
      await vault.forget('eve')
      await vault.close()
      const again = await open()
      onTestFinished(() => again.close())
      expect(await again.keyFor('ada')).toEqual(ada)
      expect(await again.secret('hashes')).toEqual(secret)
      expect(await again.keyFor('eve')).toBeUndefined()
    })

    test('is shared: who is forgotten by one vault is forgotten by the others', async ({ skip }) => {
      const { vault, open, outlast } = await emptyVault()
      if (open === undefined) return skip('nothing outlives the vault')
      const other = await open()
      onTestFinished(() => other.close())
      const key = await vault.keyFor('ada')
      expect(await other.keyFor('ada')).toEqual(key)
      expect(await other.keys(['ada'])).toEqual(new Map([['ada', key]]))
      await vault.forget('ada')
      expect(await other.keyFor('ada')).toBeUndefined()
      outlast?.()
      expect(await other.keys(['ada'])).toEqual(new Map())
    })

    test('gives one key to all who ask for the first time at once', async ({ skip }) => {
      const { vault, open } = await emptyVault()
      if (open === undefined) return skip('nothing outlives the vault')
      const other = await open()
      onTestFinished(() => other.close())
      const [one, two] = await Promise.all([vault.keyFor('ada'), other.keyFor('ada')])
      expect(one).toEqual(two)
    })
  })
}
