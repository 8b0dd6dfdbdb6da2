import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { type Benchmark, type Measured, measure } from './benchmark.ts'
import { benchmarks } from './benchmarks.ts'
import { commit, machine } from './machine.ts'
import { printedTable, row, shownGoal } from './report.ts'
import { writeResult } from './result.ts'

/** `npm run bench`: measures, prints a table, keeps what was measured in bench/results/, and puts it into docs/performance.md. */

interface Options {
  readonly rounds: number
  readonly list?: true
  readonly profile?: true
  /** False with --no-save. */
  readonly save: boolean
}

function positive(value: string): number {
  const number = Number(value)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new InvalidArgumentError('It must be a whole number above zero.')
}

function benchmarkOf(name: string, before: readonly Benchmark[]): readonly Benchmark[] {
  const found = benchmarks.find((each) => each.name === name)
  if (found) return [...before, found]
  throw new InvalidArgumentError('`npm run bench -- --list` names all benchmarks.')
}

function list(): void {
  for (const { name, title, figures } of benchmarks) {
    const goals = figures.flatMap((figure) =>
      figure.goal ? `${figure.name} ${shownGoal(figure.goal, figure.unit)}` : [],
    )
    console.log(`${name}\n  ${title}\n  ${goals.join('; ') || 'no goal'}`)
  }
}

async function run(definition: Benchmark, { rounds, profile, save }: Options): Promise<readonly Measured[]> {
  const { name, title } = definition
  const loadBefore = loadavg()
  const root = process.env.DAYBOOK_BENCH_DIR ?? tmpdir()
  mkdirSync(root, { recursive: true })
  const directory = mkdtempSync(join(root, `daybook-bench-${name}-`))
  const remove = () => rmSync(directory, { recursive: true, force: true })
  process.once('exit', remove)
  const profileDirectory = profile && join(import.meta.dirname, 'profiles', name)
  if (profileDirectory) mkdirSync(profileDirectory, { recursive: true })
  try {
    const figures = await measure(definition, rounds, {
      directory,
      profileDirectory,
      progress: (what) => console.error(`${name}: ${what}`),
    })
    if (save) {
      writeResult({
        name,
        title,
        date: new Date().toISOString(),
        daybook: { version: packageJson.version, commit: commit() },
        node: process.version,
        machine: machine(directory),
        loadBefore,
        figures: [...figures],
      })
    }
    return figures
  } finally {
    process.off('exit', remove)
    remove()
  }
}

// Whoever stops it does not want its data either.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

await new Command('bench')
  .description('Measures Daybook. The data is made in the directory of temporary files, or in DAYBOOK_BENCH_DIR.')
  .argument('[names...]', 'which benchmarks; all, if none is named', benchmarkOf, [])
  .option('--rounds <count>', 'rounds of each, and of its limit', positive, 5)
  .option('--list', 'only name them')
  .option('--profile', 'let what is measured write CPU profiles into bench/profiles/, and keep no results')
  .option('--no-save', 'keep no results')
  .action(async (named: readonly Benchmark[], options: Options) => {
    if (options.list) return list()
    const rows: (readonly string[])[] = []
    for (const definition of named.length === 0 ? benchmarks : named) {
      try {
        const save = options.save && !options.profile
        const figures = await run(definition, { ...options, save })
        rows.push(...figures.map((figure) => row(definition.name, figure)))
      } catch (error) {
        console.error(`${definition.name} failed:`, error)
        rows.push([definition.name, '', 'FAILED', '', '', '', '', 'FAILED'])
        process.exitCode = 1
      }
    }
    console.log(printedTable(rows))
    if (options.save && !options.profile) {
      const { writeDocuments } = await import('./plots.ts')
      writeDocuments()
    }
  })
  .parseAsync()
