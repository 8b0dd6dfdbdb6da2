import { describe, expect, test } from 'vitest'
import { memoryKeyVault } from '../../../src/adapters/memory/key-vault.ts'
import { keyVaultContract } from '../../contract/key-vault.ts'

describe('the key vault in memory', () => {
  keyVaultContract(async () => ({ vault: memoryKeyVault(), dispose: async () => {} }))

  test('makes its keys of the bytes that it is given', async () => {
    const vault = memoryKeyVault({ random: (length) => new Uint8Array(length).fill(7) })
    expect(await vault.keyFor('ada')).toEqual(new Uint8Array(32).fill(7))
  })
})
