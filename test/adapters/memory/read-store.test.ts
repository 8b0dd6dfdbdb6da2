import { describe } from 'vitest'
import { memoryReadStore } from '../../../src/adapters/memory/read-store.ts'
import { readStoreContract } from '../../contract/read-store.ts'
import { findContract } from '../../contract/read-store-find.ts'

const harness = async () => ({ store: memoryReadStore(), dispose: async () => {} })

describe('the read store in memory', () => {
  readStoreContract(harness)
  findContract(harness, { runs: 500 })
})
