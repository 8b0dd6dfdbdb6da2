import { accounts } from '../../src/account-composition.ts'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { backupOperations } from '../../src/api/backup-operations.ts'
import { openApiDocument } from '../../src/api/openapi.ts'
import { projectionOperations } from '../../src/api/projection-operations.ts'
import { tokenOperations } from '../../src/api/token-operations.ts'
import { readConfig } from '../../src/config.ts'
import { forReading } from '../../src/shop.ts'

const unused = () => {
  throw new Error('Describing runs nothing')
}

/** The OpenAPI document of the shop itself, made without opening one. */
export function shopDocument(version: string): Readonly<Record<string, unknown>> {
  const { operations: accountOperations } = accounts({
    config: readConfig({}),
    credentials: memoryCredentialStore(),
    signal: undefined,
    secrets: { accounts: new Uint8Array(32), claims: new Uint8Array(32) },
    tokens: { issue: unused, verify: unused },
    engine: {
      handler: { handle: unused, fold: unused },
      projections: { reader: unused, waitFor: unused, freshen: unused },
      personal: { seal: unused, open: unused },
    },
    store: { head: unused, logId: 'log' },
    mail: undefined,
    clock: { now: unused, monotonic: unused, after: () => unused },
    onFailure: unused,
  })
  const operations = [
    ...accountOperations({ holding: unused }),
    ...tokenOperations({ tokens: { issue: unused, verify: unused }, assertCustomer: unused, guestTokensPerMinute: 1 }),
    ...projectionOperations({ status: () => [], rebuild: unused, skipPoison: unused }),
    ...backupOperations(undefined),
  ]
  return JSON.parse(JSON.stringify(openApiDocument({ ...forReading([]), operations, version })))
}
