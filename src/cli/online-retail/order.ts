import { UnreadableFileError } from './file.ts'
import type { RetailLine } from './line.ts'

/** An order of the data set: the sales among the lines of one invoice. */

export interface RetailOrder {
  readonly id: string
  readonly invoice: string
  /** When it was placed, ISO 8601, UTC: the time of its first line. */
  readonly at: string
  /** Month of that time in the shop's time zone. */
  readonly month: string
  /** ISO 3166-1 code. */
  readonly country: string
  /** Absent for guests. */
  readonly customerId: string | undefined
  readonly lines: readonly RetailLine[]
}

/** The id of a line within its order: its number, for an invoice may have the same code twice. */
export function lineIdOf(index: number): string {
  return String(index + 1)
}

/**
 * The orders, in the order of their first lines.
 * @param sales lines of the file that are sales
 * @throws UnreadableFileError for an invoice of several customers or countries
 */
export function ordersOf(sales: readonly RetailLine[]): readonly RetailOrder[] {
  const invoices = new Map<string, [RetailLine, ...RetailLine[]]>()
  for (const line of sales) {
    const known = invoices.get(line.invoice)
    if (known) known.push(line)
    else invoices.set(line.invoice, [line])
  }
  return Array.from(invoices, ([invoice, lines]) => {
    const [{ number, at, month, country, customerId }] = lines
    const other = lines.find((line) => line.customerId !== customerId || line.country !== country)
    if (other !== undefined) {
      throw new UnreadableFileError(
        `Invoice ${invoice} has several customers or countries: see lines ${number} and ${other.number}. Correct them. Nothing was imported.`,
      )
    }
    return { id: `online-retail-${invoice}`, invoice, at, month, country, customerId, lines }
  })
}
