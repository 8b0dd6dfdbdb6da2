import { describe } from 'vitest'
import { openMongoCredentialStore } from '../../../src/adapters/mongodb/credential-store.ts'
import { credentialStoreContract } from '../../contract/credential-store.ts'
import { emptyDatabase, whyNotRun } from './empty-database.ts'

describe.skipIf(whyNotRun !== '')(`the credential store in MongoDB${whyNotRun}`, () => {
  credentialStoreContract(async () => {
    const { connect, dispose } = emptyDatabase()
    return {
      store: await openMongoCredentialStore(connect()),
      open: () => openMongoCredentialStore(connect()),
      dispose,
    }
  })
})
