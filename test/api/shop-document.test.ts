import { expect, test } from 'vitest'
import { openApiFaults } from './openapi-faults.ts'
import { shopDocument } from './shop-document.ts'

test("The shop's own document says everything, and nothing wrong", () => {
  expect(openApiFaults(shopDocument('1.2.3'))).toEqual([])
})
