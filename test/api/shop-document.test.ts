import { expect, test } from 'vitest'
import { openApiDocument } from '../../src/api/openapi.ts'
import { projectionOperations } from '../../src/api/projection-operations.ts'
import { tokenOperations } from '../../src/api/token-operations.ts'
import { shopForReading } from '../../src/shop.ts'
import { openApiFaults } from './openapi-faults.ts'

const unused = () => {
  throw new Error('Describing runs nothing')
}
const operations = [
  ...tokenOperations({ tokens: { issue: unused, verify: unused }, assertCustomer: unused, guestTokensPerMinute: 1 }),
  ...projectionOperations({ status: () => [], rebuild: unused, skipPoison: unused }),
]
const document = JSON.parse(JSON.stringify(openApiDocument({ ...shopForReading, operations, version: '1.2.3' })))

test("The shop's own document says everything, and nothing wrong", () => {
  expect(openApiFaults(document)).toEqual([])
})
