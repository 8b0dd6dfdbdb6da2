import { backupOperations } from '../../src/api/backup-operations.ts'
import { openApiDocument } from '../../src/api/openapi.ts'
import { projectionOperations } from '../../src/api/projection-operations.ts'
import { tokenOperations } from '../../src/api/token-operations.ts'
import { shopForReading } from '../../src/shop.ts'

const unused = () => {
  throw new Error('Describing runs nothing')
}

/** The OpenAPI document of the shop itself, made without opening one. */
export function shopDocument(version: string): Readonly<Record<string, unknown>> {
  const operations = [
    ...tokenOperations({ tokens: { issue: unused, verify: unused }, assertCustomer: unused, guestTokensPerMinute: 1 }),
    ...projectionOperations({ status: () => [], rebuild: unused, skipPoison: unused }),
    ...backupOperations(undefined),
  ]
  return JSON.parse(JSON.stringify(openApiDocument({ ...shopForReading, operations, version })))
}
