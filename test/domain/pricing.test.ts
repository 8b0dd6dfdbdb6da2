import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OrderLine } from '../../src/domain/order/contents.ts'
import {
  allUnits,
  amountsOf,
  checkAmounts,
  includedTax,
  pieces,
  priceLine,
  splitTax,
  takeUnits,
  totalsOf,
  type Units,
} from '../../src/domain/pricing.ts'
import { Rejection } from '../../src/engine/errors.ts'

const largest = 1_000_000_000_000
const amount = fc.oneof(fc.nat(100_000), fc.nat(largest))
const taxRate = fc.oneof(fc.constantFrom(0, 500, 550, 700, 1_900, 2_000, 10_000), fc.nat(10_000))
const quantity = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000 }))
const pricedLine = fc
  .record({ unitPrice: fc.nat(1_000_000), quantity, taxRate })
  .map((line) => ({ ...line, ...priceLine(line) }))

function codeOf(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof Rejection) return error.code
    throw error
  }
  return undefined
}

describe('included tax', () => {
  test.each([
    [4_998, 1_900, 798],
    [11_900, 1_900, 1_900],
    [107, 700, 7],
    [1, 10_000, 1], // exactly half goes up
    [3, 10_000, 2],
    [0, 1_900, 0],
    [4_998, 0, 0],
    [largest, 1_900, 159_663_865_546],
  ])('of %i at %i is %i', (gross, rate, tax) => {
    expect(includedTax(gross, rate)).toBe(tax)
  })

  test('is the nearest whole number, halves going up', () => {
    fc.assert(
      fc.property(amount, taxRate, (gross, rate) => {
        const tax = BigInt(includedTax(gross, rate))
        const divisor = BigInt(10_000 + rate)
        const exact = BigInt(gross) * BigInt(rate)
        // tax - 1/2 <= exact / divisor < tax + 1/2
        expect(2n * exact >= (2n * tax - 1n) * divisor).toBe(true)
        expect(2n * exact < (2n * tax + 1n) * divisor).toBe(true)
      }),
    )
  })
})

describe('the tax of pieces', () => {
  test('differs by one at most, the larger ones first', () => {
    expect(splitTax(798, 2)).toStrictEqual([{ units: 2, tax: 399 }])
    expect(splitTax(800, 3)).toStrictEqual([
      { units: 2, tax: 267 },
      { units: 1, tax: 266 },
    ])
    expect(splitTax(1, 3)).toStrictEqual([
      { units: 1, tax: 1 },
      { units: 2, tax: 0 },
    ])
  })

  test('sums up to the tax of the line', () => {
    fc.assert(
      fc.property(amount, quantity, (tax, count) => {
        const groups = splitTax(tax, count)
        expect(groups.reduce((sum, group) => sum + group.units, 0)).toBe(count)
        expect(groups.reduce((sum, group) => sum + BigInt(group.units) * BigInt(group.tax), 0n)).toBe(BigInt(tax))
        expect(groups.length).toBeLessThanOrEqual(2)
      }),
    )
  })
})

describe('refunds of a line', () => {
  test('give back exactly what was paid, in whatever parts', () => {
    const parts = fc.array(fc.integer({ min: 1, max: 300_000 }), { maxLength: 12 })
    fc.assert(
      fc.property(pricedLine, parts, (line, wantedParts) => {
        let left: Units = allUnits(line)
        let paidBack = { quantity: 0, amount: 0, tax: 0 }
        for (const part of [...wantedParts, line.quantity]) {
          const wanted = Math.min(part, pieces(left))
          const units = takeUnits(left, wanted)
          expect(pieces(units)).toBe(wanted)
          const given = amountsOf(line, units)
          left = left.map((count, group) => count - (units[group] ?? 0))
          expect(given.tax).toBeLessThanOrEqual(given.amount)
          paidBack = {
            quantity: paidBack.quantity + given.quantity,
            amount: paidBack.amount + given.amount,
            tax: paidBack.tax + given.tax,
          }
        }
        expect(paidBack).toStrictEqual({ quantity: line.quantity, amount: line.amount, tax: line.tax })
      }),
    )
  })
})

describe('totals', () => {
  test('are the sum of lines and shipping', () => {
    fc.assert(
      fc.property(
        fc.array(pricedLine, { minLength: 1, maxLength: 20 }),
        fc.nat(10_000),
        taxRate,
        (lines, price, rate) => {
          fc.pre(lines.reduce((sum, line) => sum + line.amount, price) <= largest)
          const shipping = { amount: price, tax: includedTax(price, rate) }
          const totals = totalsOf(lines, shipping)
          expect(totals.items + totals.shipping).toBe(totals.total)
          expect(totals.total).toBe(lines.reduce((sum, line) => sum + line.amount, price))
          expect(totals.tax).toBe(lines.reduce((sum, line) => sum + line.tax, shipping.tax))
          expect(totals.tax).toBeLessThanOrEqual(totals.total)
        },
      ),
    )
  })

  test('that no amount can hold are refused', () => {
    const line = (unitPrice: number, count: number) => () => priceLine({ unitPrice, quantity: count, taxRate: 1_900 })
    expect(codeOf(line(1_000_000, 1_000_000))).toBeUndefined()
    expect(codeOf(line(1_000_001, 1_000_000))).toBe('total-too-large')
    expect(codeOf(line(largest, 1_000_000))).toBe('total-too-large')
    const whole = { amount: largest, tax: 0 }
    expect(codeOf(() => totalsOf([whole], { amount: 0, tax: 0 }))).toBeUndefined()
    expect(codeOf(() => totalsOf([whole], { amount: 1, tax: 0 }))).toBe('total-too-large')
    expect(codeOf(() => totalsOf(Array(200).fill(whole), { amount: 0, tax: 0 }))).toBe('total-too-large')
  })
})

describe('amounts from elsewhere', () => {
  const line: OrderLine = {
    lineId: '1',
    productId: 'teapot',
    sku: 'TEAPOT',
    title: 'Teapot',
    categoryIds: [],
    quantity: 3,
    unitPrice: 999,
    taxRate: 2_000,
    ...priceLine({ quantity: 3, unitPrice: 999, taxRate: 2_000 }),
  }
  const shipping = { method: 'standard', title: 'Standard', amount: 490, taxRate: 2_000, tax: 82 }
  const totals = totalsOf([line], shipping)

  test('that hold are taken', () => {
    expect(codeOf(() => checkAmounts([line], shipping, totals))).toBeUndefined()
  })

  test.each<[string, Partial<OrderLine>]>([
    ['a line that is not its pieces', { amount: 2_996 }],
    ['tax that its pieces do not sum up to', { tax: 500 + 1 }],
    ['pieces that are missing', { unitTaxes: [{ units: 2, tax: 167 }] }],
    ['more tax than price', { unitPrice: 0, amount: 0 }],
  ])('with %s are refused', (_, change) => {
    expect(codeOf(() => checkAmounts([{ ...line, ...change }], shipping, totals))).toBe('amounts-wrong')
  })

  test.each(['items', 'shipping', 'tax', 'total'] as const)('with another %s are refused', (name) => {
    const wrong = { ...totals, [name]: totals[name] + 1 }
    expect(codeOf(() => checkAmounts([line], shipping, wrong))).toBe('amounts-wrong')
  })
})
