import { describe } from 'vitest'
import { openMongoReadStore } from '../../../src/adapters/mongodb/read-store.ts'
import { readStoreContract } from '../../contract/read-store.ts'
import type { ReadStoreHarness } from '../../contract/read-store-harness.ts'
import { emptyDatabase, whyNotRun } from './empty-database.ts'

async function harness(): Promise<ReadStoreHarness> {
  const { connect, dispose } = emptyDatabase()
  const open = () => openMongoReadStore({ connection: connect() })
  return { store: await open(), open, dispose }
}

describe.skipIf(whyNotRun !== '')(`the read store in MongoDB${whyNotRun}`, () => {
  readStoreContract(harness, { runs: 30, isShared: true })
})
