import { getBorderCharacters, table } from 'table'

/** In a terminal; whoever takes the output further gets all of it. */
const widest = 60

/** Prints rows as a table that can also be cut with the usual tools. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) {
    console.log('(nothing)')
    return
  }
  const cell = (value: string) =>
    process.stdout.isTTY && value.length > widest ? `${value.slice(0, widest - 1)}…` : value
  const text = table([[...head], ...rows.map((row) => row.map(cell))], {
    border: getBorderCharacters('void'),
    columnDefault: { paddingLeft: 0, paddingRight: 2 },
    drawHorizontalLine: () => false,
  })
  console.log(text.trimEnd())
}

const barWidth = 30

/** One line that shows how far long work is. */
export function progressLine(done: number, total: number, perSecond: number, noun: string): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * barWidth)
  const seconds = perSecond > 0 ? Math.ceil((total - done) / perSecond) : undefined
  const left = seconds === undefined ? '' : `, ${seconds} s left`
  const rate = `${Math.round(perSecond).toLocaleString('en')} ${noun}/s`
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${(share * 100).toFixed(0).padStart(3)} %  ${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${noun}, ${rate}${left}`
}
