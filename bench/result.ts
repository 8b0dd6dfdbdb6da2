import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

/** What a benchmark measured, as it is kept in bench/results/. */

const Spread = z.object({
  median: z.number(),
  min: z.number(),
  max: z.number(),
  rounds: z.array(z.number()).readonly(),
})

const Result = z.object({
  name: z.string(),
  title: z.string(),
  date: z.iso.datetime(),
  daybook: z.object({ version: z.string(), commit: z.string() }),
  node: z.string(),
  machine: z.object({
    cpu: z.string(),
    cores: z.int(),
    memoryBytes: z.int(),
    system: z.string(),
    fileSystem: z.string(),
  }),
  /** Of the last one, five and fifteen minutes before it began. */
  loadBefore: z.array(z.number()),
  figures: z.array(
    z.object({
      name: z.string(),
      unit: z.string(),
      limit: z.string().exactOptional(),
      goal: z
        .object({ of: z.enum(['figure', 'ratio']), is: z.enum(['at least', 'at most']), value: z.number() })
        .exactOptional(),
      figure: Spread,
      measuredLimit: Spread.exactOptional(),
      ratio: z.number().exactOptional(),
      reached: z.boolean().exactOptional(),
    }),
  ),
})
export type Result = z.output<typeof Result>

const directory = join(import.meta.dirname, 'results')

/** Keeps a result in place of the one before. */
export function writeResult(result: z.input<typeof Result>): void {
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, `${result.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

/** All results that are kept, by name. */
export function readResults(): readonly Result[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => Result.parse(JSON.parse(readFileSync(join(directory, file), 'utf8'))))
}
