import fc from 'fast-check'
import { v5 } from 'uuid'
import { expect, test } from 'vitest'
import { derivedId } from '../../src/engine/streams.ts'

test('a derived id is the UUIDv5 of its parts, as any library makes it', () => {
  const parts = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.integer()))
  fc.assert(
    fc.property(parts, (given) => {
      expect(derivedId(...given)).toBe(v5(JSON.stringify(given), '0b6cd2b5-3c10-4b0e-9d0b-6d61c1a2f1de'))
    }),
  )
})
