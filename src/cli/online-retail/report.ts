import { printTable } from '../output.ts'
import type { Ledger } from './ledger.ts'
import { type Comparison, everywhere, type Figures, isSame, sumOf } from './reconciliation.ts'
import { countByReason } from './set-aside.ts'

/** What the import tells at its end. */

function number(value: number): string {
  return value.toLocaleString('en')
}

function pounds(pence: number): string {
  return (pence / 100).toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
}

/** Lines read = lines imported + lines set aside, by reason. */
export function printLines({ orders, refunds, setAside }: Ledger, linesRead: number): void {
  const sales = orders.reduce((sum, { lines }) => sum + lines.length, 0)
  const credited = refunds.reduce((sum, { lineCount }) => sum + lineCount, 0)
  const rows: (readonly [string, number])[] = [
    [`imported: sales, in ${number(orders.length)} orders`, sales],
    [`imported: credit notes, in ${number(refunds.length)} refunds`, credited],
    ...countByReason(setAside).map(([reason, count]) => [`set aside: ${reason}`, count] as const),
    ['all of these', sales + credited + setAside.length],
    ['read from the file', linesRead],
  ]
  printTable(
    ['lines', 'number'],
    rows.map(([what, count]) => [what, number(count)]),
  )
}

interface Column {
  readonly title: string
  readonly figure: keyof Figures
  readonly show: (value: number) => string
}

function printComparisons(comparisons: readonly Comparison[], columns: readonly Column[]): void {
  const shown = comparisons.filter(({ file, daybook }) =>
    columns.some(({ figure }) => file[figure] !== 0 || daybook[figure] !== 0),
  )
  printTable(
    ['month', 'country', ...columns.flatMap(({ title }) => [`${title} (file)`, `${title} (Daybook)`]), ''],
    shown.map(({ month, country, file, daybook }) => [
      month,
      country,
      ...columns.flatMap(({ figure, show }) => [show(file[figure]), show(daybook[figure])]),
      columns.every(({ figure }) => file[figure] === daybook[figure]) ? 'equal' : 'DIFFERENT',
    ]),
  )
}

/**
 * Prints what the file has against what Daybook has.
 * @returns how many comparisons differ
 */
export function printReconciliation(comparisons: readonly Comparison[]): number {
  const all = comparisons.filter(({ country }) => country === everywhere)
  const total: Comparison = {
    month: 'all',
    country: everywhere,
    file: sumOf(all.map(({ file }) => file)),
    daybook: sumOf(all.map(({ daybook }) => daybook)),
  }
  const ordered = [
    ...comparisons.filter(({ country }) => country !== everywhere),
    ...all,
    ...(all.length > 0 ? [total] : []),
  ]
  console.log('\nSales, before refunds, in GBP:')
  printComparisons(ordered, [
    { title: 'orders', figure: 'orders', show: number },
    { title: 'units', figure: 'units', show: number },
    { title: 'revenue', figure: 'revenue', show: pounds },
  ])
  console.log('\nRefunds, in GBP, in the month of the credit note:')
  printComparisons(ordered, [
    { title: 'units', figure: 'unitsRefunded', show: number },
    { title: 'refunded', figure: 'refunded', show: pounds },
  ])
  return comparisons.filter(({ file, daybook }) => !isSame(file, daybook)).length
}
