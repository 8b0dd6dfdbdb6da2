import { matchCreditNotes, type RetailRefund } from './credit-notes.ts'
import type { RetailLine, SetAside } from './line.ts'
import { ordersOf, type RetailOrder } from './order.ts'

/** What the lines of the file mean: orders, refunds of orders, and what is neither. */

export interface Ledger {
  readonly orders: readonly RetailOrder[]
  readonly refunds: readonly RetailRefund[]
  /** In the order of the file. */
  readonly setAside: readonly SetAside[]
}

function isCreditNote({ invoice }: RetailLine): boolean {
  return invoice.startsWith('C')
}

/** What somebody bought; none of these lines is ever set aside. */
function isSale(line: RetailLine): boolean {
  return !isCreditNote(line) && line.quantity > 0 && line.isPriced
}

/** Why a line is neither a sale nor of a credit note. */
function reasonOf({ quantity, unitPrice }: RetailLine): string {
  if (quantity === 0) return 'no quantity'
  if (unitPrice < 0) return 'price below zero: a correction of the books'
  return quantity < 0 ? 'no credit note: stock written off' : 'no price: stock found or given away'
}

/**
 * Sorts out all lines of a file. It follows from the file alone, so that it is the same each time.
 * @throws UnreadableFileError for an invoice of several customers or countries
 */
export function ledgerOf(lines: readonly RetailLine[]): Ledger {
  const orders = ordersOf(lines.filter(isSale))
  const { refunds, unmatched } = matchCreditNotes(lines.filter(isCreditNote), orders)
  const neither = lines
    .filter((line) => !isSale(line) && !isCreditNote(line))
    .map((line) => ({ line, reason: reasonOf(line) }))
  const setAside = [...neither, ...unmatched].sort((left, right) => left.line.number - right.line.number)
  return { orders, refunds, setAside }
}
