import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entriesOf, keep, newest } from '../../src/domain/newest.ts'

test('it keeps the newest entries in their order, tells what it forgets, and goes on after it was saved', () => {
  const keys = fc.array(
    fc.nat(20).map((number) => `key-${number}`),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 6 }), fc.nat(40), (added, bound, savedAt) => {
      let memory = newest<number>(bound)
      const model = new Map<string, number>()
      for (const [value, key] of added.entries()) {
        if (value === savedAt) memory = newest(bound, entriesOf(memory))
        const kept = keep(memory, key, value)
        memory = kept.memory
        model.set(key, value)
        const oldest = model.size > bound ? [...model].at(0) : undefined
        if (oldest) model.delete(oldest[0])
        expect(kept.forgotten).toStrictEqual(oldest)
        expect(entriesOf(memory)).toStrictEqual([...model])
        expect(memory.byKey.size).toBe(model.size)
      }
    }),
    { numRuns: 300 },
  )
})
