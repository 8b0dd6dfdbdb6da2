import { getBorderCharacters, table } from 'table'
import type { Goal, Measured, Spread } from './benchmark.ts'

/** How figures are written for people. */

/** A number with three digits that count, and commas between thousands. */
export function shownNumber(value: number): string {
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-GB') : String(Number(value.toPrecision(3)))
}

/** The median, and how far the rounds lie from it in per cent. */
export function shownSpread({ median, min, max }: Spread): string {
  const percent = (value: number) => (median === 0 ? 0 : Math.round(((value - median) / median) * 100))
  return min === max ? shownNumber(median) : `${shownNumber(median)} (${percent(min)}..+${percent(max)} %)`
}

/** @param unit of the figure; a ratio has none */
export function shownGoal(goal: Goal | undefined, unit: string): string {
  if (goal === undefined) return ''
  const sign = goal.is === 'at least' ? '≥' : '≤'
  return goal.of === 'figure' ? `${sign} ${shownNumber(goal.value)} ${unit}` : `${sign} ${goal.value} of the limit`
}

/** Whether a goal was reached, for those that have one. */
export function shownOutcome(reached: boolean | undefined): string {
  return reached === undefined ? '' : reached ? 'reached' : 'MISSED'
}

export const columns = ['benchmark', 'figure', 'median', 'unit', 'limit', 'ratio', 'goal', ''] as const

/** A row of the table of all figures, in the order of `columns`. */
export function row(benchmark: string, measured: Measured): readonly string[] {
  const { name, unit, figure, measuredLimit, ratio, goal, reached } = measured
  return [
    benchmark,
    name,
    shownSpread(figure),
    unit,
    measuredLimit ? shownSpread(measuredLimit) : '',
    ratio === undefined ? '' : shownNumber(ratio),
    shownGoal(goal, unit),
    shownOutcome(reached),
  ]
}

/** The table as it is printed. */
export function printedTable(rows: readonly (readonly string[])[]): string {
  return table([[...columns], ...rows.map((cells) => [...cells])], {
    border: getBorderCharacters('void'),
    columnDefault: { paddingLeft: 0, paddingRight: 2 },
    drawHorizontalLine: () => false,
  })
}
