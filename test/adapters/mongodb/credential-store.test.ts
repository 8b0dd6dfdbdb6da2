import { describe } from 'vitest'
import { mongoCredentialStore } from '../../../src/adapters/mongodb/credential-store.ts'
import { credentialStoreContract } from '../../contract/credential-store.ts'
import { emptyDatabase, whyNotRun } from './empty-database.ts'

describe.skipIf(whyNotRun !== '')(`the credential store in MongoDB${whyNotRun}`, () => {
  credentialStoreContract(async () => {
    const { connect, dispose } = emptyDatabase()
    return {
      store: mongoCredentialStore(connect()),
      open: async () => mongoCredentialStore(connect()),
      dispose,
    }
  })
})
