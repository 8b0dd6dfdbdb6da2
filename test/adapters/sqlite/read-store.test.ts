import { describe } from 'vitest'
import { openSqliteReadStore } from '../../../src/adapters/sqlite/read-store.ts'
import { readStoreContract } from '../../contract/read-store.ts'
import type { ReadStoreHarness } from '../../contract/read-store-harness.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

async function harness(): Promise<ReadStoreHarness> {
  const directory = temporaryDirectory()
  const store = openSqliteReadStore({ directory: directory.path })
  return {
    store,
    open: async () => openSqliteReadStore({ directory: directory.path }),
    async dispose() {
      await store.close()
      directory.remove()
    },
  }
}

describe('the read store in SQLite', () => {
  readStoreContract(harness, { runs: 100, isShared: false })
})
