import { z } from 'zod'
import { countryCode } from './countries.ts'
import { skuOf } from './stock-code.ts'

/** One line of the data set. */

export const columns = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const

export interface RetailLine {
  /** Its number in the file; that of the header is 1. */
  readonly number: number
  /** As it stands in the file. */
  readonly fields: readonly string[]
  readonly invoice: string
  readonly stockCode: string
  readonly description: string
  /** Pieces; below zero on credit notes and for what got lost. */
  readonly quantity: number
  /** When it was written, ISO 8601, UTC. */
  readonly at: string
  /** Month in the shop's time zone, such as `2010-12`. */
  readonly month: string
  /** True for a price above zero, however small. */
  readonly isPriced: boolean
  /** Price of one piece in pence. */
  readonly unitPrice: number
  /** Absent for guests. */
  readonly customerId: string | undefined
  /** ISO 3166-1 code. */
  readonly country: string
}

export interface SetAside {
  readonly line: RetailLine
  /** Why it is not imported, in words. */
  readonly reason: string
}

export const shopTimeZone = 'Europe/London'
export const shopCurrency = 'GBP'

const maxQuantity = 1_000_000
const maxPence = 1_000_000_000

const instants = new Map<string, string>()

/** @throws RangeError for what is no time */
function instantOf(local: string): string {
  const known = instants.get(local)
  if (known !== undefined) return known
  const instant = Temporal.PlainDateTime.from(local, { overflow: 'reject' }).toZonedDateTime(shopTimeZone).toInstant()
  const text = instant.toString({ fractionalSecondDigits: 3 })
  instants.set(local, text)
  return text
}

/** Decimal pounds in whole pence; fractions of a penny are rounded, half a penny away from zero. */
function penceOf(price: string): number {
  const [, sign, pounds = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(price) ?? []
  const digits = fraction.padEnd(3, '0')
  const pence = Number(pounds) * 100 + Number(digits.slice(0, 2)) + (digits.charAt(2) >= '5' ? 1 : 0)
  return sign === '-' ? -pence : pence
}

const Text = z.string().trim()
const Row = z.object({
  InvoiceNo: Text.regex(/^[A-Za-z0-9]{1,30}$/, 'is no invoice number'),
  StockCode: Text.refine((code) => skuOf(code) !== undefined, 'is no stock code: it is empty or too long'),
  Description: Text.max(200, 'has more than 200 characters'),
  Quantity: Text.regex(/^-?\d{1,7}$/, 'is no whole number')
    .transform(Number)
    .refine((quantity) => Math.abs(quantity) <= maxQuantity, `is more than ${maxQuantity}`),
  InvoiceDate: Text.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/, {
    error: 'is no ISO 8601 time such as 2010-12-01T08:26:00',
    abort: true,
  }).transform((local, context) => {
    try {
      return { at: instantOf(local), month: local.slice(0, 7) }
    } catch {
      context.addIssue('is no time that the calendar has')
      return z.NEVER
    }
  }),
  UnitPrice: Text.regex(/^-?\d{1,9}(\.\d{1,9})?$/, { error: 'is no price in pounds such as 2.55', abort: true })
    .transform((price) => ({ isPriced: Number(price) > 0, unitPrice: penceOf(price) }))
    .refine(({ unitPrice }) => Math.abs(unitPrice) <= maxPence, 'is larger than a price can be'),
  CustomerID: Text.regex(/^[A-Za-z0-9.]{0,30}$/, 'is no customer number').transform((id) =>
    id === '' ? undefined : id,
  ),
  Country: Text.transform((name, context) => {
    const code = countryCode(name)
    if (code !== undefined) return code
    context.addIssue('is no country that Daybook knows')
    return z.NEVER
  }),
})

/**
 * Reads one line.
 * @returns what is wrong with it, in words, if it can't be read
 */
export function parseLine(number: number, fields: readonly string[]): RetailLine | string {
  if (fields.length !== columns.length) return `it has ${fields.length} fields instead of ${columns.length}`
  const byColumn = new Map<string, string | undefined>(columns.map((name, index) => [name, fields[index]]))
  const parsed = Row.safeParse(Object.fromEntries(byColumn))
  if (!parsed.success) {
    return parsed.error.issues
      .map(({ path, message }) => {
        const column = String(path[0])
        return `${column} ${JSON.stringify(byColumn.get(column))} ${message}`
      })
      .join('; ')
  }
  const { InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country } = parsed.data
  return {
    number,
    fields,
    invoice: InvoiceNo,
    stockCode: StockCode,
    description: Description,
    quantity: Quantity,
    ...InvoiceDate,
    ...UnitPrice,
    customerId: CustomerID,
    country: Country,
  }
}
