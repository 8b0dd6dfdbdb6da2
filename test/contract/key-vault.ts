import { describe, expect, onTestFinished, test } from 'vitest'
import type { KeyVault } from '../../src/engine/key-vault.ts'

/** What every key vault must do. */

export interface KeyVaultHarness {
  readonly vault: KeyVault
  /** Another vault over the same storage, as another thread or the next process opens it; absent where nothing outlives the vault. */
  readonly open?: () => Promise<KeyVault>
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
      const { vault, open } = await emptyVault()
      if (open === undefined) return skip('nothing outlives the vault')
      const other = await open()
      onTestFinished(() => other.close())
      const key = await vault.keyFor('ada')
      expect(await other.keyFor('ada')).toEqual(key)
      await vault.forget('ada')
      expect(await other.keyFor('ada')).toBeUndefined()
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
