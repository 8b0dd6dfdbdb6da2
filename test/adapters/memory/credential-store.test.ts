import { describe } from 'vitest'
import { memoryCredentialStore } from '../../../src/adapters/memory/credential-store.ts'
import { credentialStoreContract } from '../../contract/credential-store.ts'

describe('the credential store in memory', () => {
  credentialStoreContract(async () => ({ store: memoryCredentialStore(), dispose: async () => {} }))
})
