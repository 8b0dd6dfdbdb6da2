import { describe, expect, test } from 'vitest'
import { countryCode } from '../../../src/cli/online-retail/countries.ts'
import { parseLine } from '../../../src/cli/online-retail/line.ts'
import { isService, skuOf } from '../../../src/cli/online-retail/stock-code.ts'

const fields = ['536365', '85123A', 'WHITE HEART', '6', '2010-12-01T08:26:00', '2.55', '17850', 'United Kingdom']
type Column = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7
const parsed = (...changes: [Column, string][]) =>
  parseLine(
    7,
    changes.reduce((all, [column, value]) => all.with(column, value), fields),
  )

describe('a line', () => {
  test('is read', () => {
    expect(parsed()).toEqual({
      number: 7,
      fields,
      invoice: '536365',
      stockCode: '85123A',
      description: 'WHITE HEART',
      quantity: 6,
      at: '2010-12-01T08:26:00.000Z',
      month: '2010-12',
      isPriced: true,
      unitPrice: 255,
      customerId: '17850',
      country: 'GB',
    })
    expect(parsed([6, ''])).toMatchObject({ customerId: undefined })
  })

  test('has the time of the clock on the wall of the shop, and the month of it', () => {
    expect(parsed([4, '2011-06-30T23:30:00'])).toMatchObject({ at: '2011-06-30T22:30:00.000Z', month: '2011-06' })
    expect(parsed([4, '2011-07-01T00:30:00'])).toMatchObject({ at: '2011-06-30T23:30:00.000Z', month: '2011-07' })
  })

  test.each([
    ['2.55', 255],
    ['1.1', 110],
    ['18', 1800],
    ['16888.02', 1_688_802],
    ['0.29', 29],
    ['-11062.06', -1_106_206],
    ['0.005', 1],
    ['0.004', 0],
    ['1.996', 200],
  ])('costs %s pounds in whole pence', (price, pence) => {
    expect(parsed([5, price])).toMatchObject({ unitPrice: pence, isPriced: !price.startsWith('-') })
  })

  test.each<[string, Column, string]>([
    ['InvoiceNo', 0, '53 6365'],
    ['StockCode', 1, ' '],
    ['Description', 2, 'x'.repeat(201)],
    ['Quantity', 3, '1.5'],
    ['Quantity', 3, '2000000'],
    ['InvoiceDate', 4, '12/1/2010 8:26'],
    ['InvoiceDate', 4, '2010-02-30T08:26:00'],
    ['UnitPrice', 5, '2,55'],
    ['CustomerID', 6, 'Ada Lovelace'],
    ['Country', 7, 'United King'],
  ])('says what is wrong with %s', (name, column, value) => {
    expect(parsed([column, value])).toContain(`${name} ${JSON.stringify(value)} `)
  })

  test('has all of its fields', () => {
    expect(parseLine(7, fields.slice(0, 7))).toBe('it has 7 fields instead of 8')
  })
})

describe('stock codes', () => {
  test('are SKUs, and stay different', () => {
    const codes = [
      '85123A',
      '85123a',
      'BANK CHARGES',
      'BANK~20CHARGES',
      'BANK-CHARGES',
      'gift_0001_40',
      '-1',
      '0-1',
      '£5',
      'POST',
    ]
    const skus = codes.map(skuOf)
    expect(skus.slice(0, 3)).toEqual(['85123A', '85123a', 'BANK~20CHARGES'])
    expect(new Set(skus).size).toBe(codes.length)
    expect(skus).not.toContain(undefined)
  })

  test('are no SKU where they are empty or too long', () => {
    expect([skuOf(''), skuOf('x'.repeat(65))]).toEqual([undefined, undefined])
  })

  test('of postage and fees have no stock', () => {
    expect(['POST', 'BANK CHARGES', 'm', '85123A', 'DCGS0076'].map(isService)).toEqual([true, true, true, false, false])
  })
})

test('each country of the data set has a code of its own', () => {
  const names = [
    ...['Australia', 'Austria', 'Bahrain', 'Belgium', 'Brazil', 'Canada', 'Channel Islands', 'Cyprus'],
    ...['Czech Republic', 'Denmark', 'EIRE', 'European Community', 'Finland', 'France', 'Germany', 'Greece'],
    ...['Hong Kong', 'Iceland', 'Israel', 'Italy', 'Japan', 'Lebanon', 'Lithuania', 'Malta', 'Netherlands', 'Norway'],
    ...['Poland', 'Portugal', 'RSA', 'Saudi Arabia', 'Singapore', 'Spain', 'Sweden', 'Switzerland', 'USA'],
    ...['United Arab Emirates', 'United Kingdom', 'Unspecified'],
  ]
  const codes = names.map(countryCode)
  expect(codes.every((code) => /^[A-Z]{2}$/.test(code ?? ''))).toBe(true)
  expect(new Set(codes).size).toBe(names.length)
  expect(['United Kingdom', 'France', 'EIRE', 'Unspecified', 'Atlantis'].map(countryCode)).toEqual([
    'GB',
    'FR',
    'IE',
    'ZZ',
    undefined,
  ])
})
