import { progressLine } from './output.ts'

const showEveryMs = { terminal: 100, log: 2_000 }

/**
 * Shows how far work is, no more often than somebody can read it. Its rate is that of this run: what was done when it was first
 * told does not count.
 */
export function progress(task: { output: string }, noun: string): (done: number, total: number) => void {
  const startedAt = Date.now()
  let doneBefore: number | undefined
  let shownAt = 0
  return (done, total) => {
    doneBefore ??= done
    const now = Date.now()
    const everyMs = process.stdout.isTTY ? showEveryMs.terminal : showEveryMs.log
    if (now - shownAt < everyMs && done < total) return
    shownAt = now
    task.output = progressLine(done, total, ((done - doneBefore) * 1_000) / Math.max(1, now - startedAt), noun)
  }
}
