import { expect, test } from 'vitest'
import { filledPath, pathParameters } from '../../src/engine/path-template.ts'

test('a path tells its parameters in their order', () => {
  expect(pathParameters('/v1/customers/{customerId}/addresses/{addressId}')).toEqual(['customerId', 'addressId'])
  expect(pathParameters('/v1/orders')).toEqual([])
})

test('each parameter is filled by its name, and nothing in what stands for it means something', () => {
  const values: Readonly<Record<string, string>> = { from: '$&', to: '{from}' }
  expect(filledPath('/v1/{from}/to/{to}', (name) => values[name] ?? '')).toBe('/v1/$&/to/{from}')
  expect(filledPath('/v1/orders', () => 'unused')).toBe('/v1/orders')
})
