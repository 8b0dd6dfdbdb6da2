import { describe } from 'vitest'
import { memoryReadStore } from '../../../src/adapters/memory/read-store.ts'
import { readStoreContract } from '../../contract/read-store.ts'

const harness = async () => ({ store: memoryReadStore(), dispose: async () => {} })

describe('the read store in memory', () => {
  readStoreContract(harness, { runs: 500 })
})
