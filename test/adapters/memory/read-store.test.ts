import { describe, expect, test } from 'vitest'
import { memoryReadStore } from '../../../src/adapters/memory/read-store.ts'
import { readStoreContract } from '../../contract/read-store.ts'
import { at, ordersSpec, put } from '../../read-store-orders.ts'

const harness = async () => ({ store: memoryReadStore(), dispose: async () => {} })

describe('the read store in memory', () => {
  readStoreContract(harness, { runs: 500, isShared: true })

  test('gives documents that nobody can change, for other stores share them', async () => {
    const generation = await memoryReadStore().createGeneration(ordersSpec)
    await generation.write([put('a', 1, { status: 'open', tags: ['one'] })], at(1))
    const [read] = await generation.read([{ collection: 'orders', id: 'a' }])
    const [found] = await generation.find({ collection: 'orders', index: 'byStatus', limit: 1 })
    for (const body of [read?.body, found?.body]) {
      expect(() => Object.assign(body ?? {}, { status: 'paid' })).toThrow(TypeError)
      expect(() => Object.assign(body?.tags ?? [], ['two'])).toThrow(TypeError)
    }
  })
})
