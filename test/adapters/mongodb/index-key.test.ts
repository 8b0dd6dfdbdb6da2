import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyRange, keyText, keyValues } from '../../../src/adapters/mongodb/index-key.ts'
import { compareKeys } from '../../../src/engine/index-range.ts'
import type { IndexValue } from '../../../src/engine/read-store.ts'

const character = fc
  .constantFrom('', '\u0000', '\u0001', ' ', '!', '"', '#', 'a', 'ab', '~', 'é', '\ud7fe', '\ud7ff')
  .chain((seam) =>
    fc.oneof(
      fc.constant(seam),
      fc.constantFrom('\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
      fc.string({ unit: 'binary' }),
    ),
  )
const text = fc.array(character, { maxLength: 4 }).map((parts) => parts.join('').toWellFormed())
const number = fc.oneof(
  fc.constantFrom(
    -(2 ** 53) + 1,
    -1e300,
    -1.5,
    -1,
    -5e-324,
    0,
    5e-324,
    0.1,
    0.3,
    0.1 + 0.2,
    1,
    2,
    10,
    2 ** 31,
    2 ** 53 - 1,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
)
const value: fc.Arbitrary<IndexValue> = fc.oneof(fc.constant(null), fc.boolean(), number, text)
const keyOf = (length: number) => fc.tuple(...Array.from({ length }, () => value), text)
const order = (left: string, right: string) => (left === right ? 0 : left < right ? -1 : 1)

describe('the text of a key', () => {
  test('says what the key was', () => {
    fc.assert(
      fc.property(keyOf(3), (key) => {
        expect(keyValues(keyText(key))).toStrictEqual(key)
      }),
    )
  })

  test('sorts as the key, by UTF-16 units and by UTF-8 bytes', () => {
    fc.assert(
      fc.property(keyOf(2), keyOf(2), (left, right) => {
        const [one, other] = [keyText(left), keyText(right)]
        const expected = Math.sign(compareKeys(left, right))
        expect(order(one, other)).toBe(expected)
        expect(Buffer.compare(Buffer.from(one), Buffer.from(other))).toBe(expected)
      }),
      { numRuns: 2_000 },
    )
  })

  test('can be read by people where it is plain', () => {
    expect(keyText(['paid', null, true, 1, 'order-1'])).toBe('4paid!023bff00000000000004order-1!')
  })

  test.each(['9', '4open', '4a!x'])('%j, which is none, is refused', (strange) => {
    expect(() => keyValues(strange)).toThrow(RangeError)
  })
})

describe('the range of a find', () => {
  const find = { collection: 'orders', index: 'byStatus', limit: 9 }

  test('holds nothing where its bounds are the wrong way round', () => {
    expect(keyRange(['status'], { ...find, from: 'b', to: 'a' })).toBeUndefined()
  })

  test('begins behind its cursor', () => {
    const range = keyRange(['status'], { ...find, equals: ['open'], after: ['open', 'b'] })
    const texts = ['a', 'b', 'b\u0000', 'ba', 'c'].map((id) => keyText(['open', id]))
    expect(texts.map((each) => range !== undefined && each >= range.from && each < range.before)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ])
  })
})
