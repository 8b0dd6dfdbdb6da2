import { renameSync, writeFileSync } from 'node:fs'
import { columns, type SetAside } from './line.ts'

/** The lines that are not imported, as a file for people to look at. */

function csvField(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** Writes them as CSV: number of the line, why it is set aside, and the line as it was. */
export function writeSetAside(file: string, setAside: readonly SetAside[]): void {
  const rows = [
    ['Line', 'Reason', ...columns],
    ...setAside.map(({ line, reason }) => [String(line.number), reason, ...line.fields]),
  ]
  const unfinished = `${file}.unfinished`
  writeFileSync(unfinished, rows.map((row) => `${row.map(csvField).join(',')}\n`).join(''))
  renameSync(unfinished, file)
}

/** How many lines there are of each reason, the most frequent one first. */
export function countByReason(setAside: readonly SetAside[]): readonly (readonly [reason: string, lines: number])[] {
  const counts = new Map<string, number>()
  for (const { reason } of setAside) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].sort(([, left], [, right]) => right - left)
}
