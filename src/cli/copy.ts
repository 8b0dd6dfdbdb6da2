import { resolve } from 'node:path'
import { Listr } from 'listr2'
import pRetry from 'p-retry'
import { type Config, ConfigError } from '../config.ts'
import { type CopyReport, type CopyStage, copyLog, type InStage } from '../engine/copy-log.ts'
import { InDoubtError, UnavailableError } from '../engine/errors.ts'
import type { EventStore } from '../engine/event-store.ts'
import type { Extension } from '../extension.ts'
import { forReading } from '../shop.ts'
import { type LogPlace, logPlace, openLogEnd } from './log-end.ts'
import { printTable } from './output.ts'
import { progress } from './progress.ts'

/** `daybook copy`: brings a shop's log, its keys and how far its processes are to another place. */

export interface CopyArguments {
  /** Where the log is, and where it goes: `file:./data` or `esdb://...`. */
  readonly from: string
  readonly to: string
  /** Those of the shop: the checkpoints of their process managers go along. */
  readonly extensions?: readonly Extension[]
  /** Stops it between two appends, with its reason. */
  readonly signal?: AbortSignal
}

const titles: Readonly<Record<CopyStage, string>> = {
  compare: 'Look for what is there',
  keys: 'Copy the keys',
  credentials: 'Copy accounts and sessions',
  copy: 'Copy events',
  verify: 'Compare every event',
  checkpoints: 'Set how far the processes are',
}

const retries = 8
const longestPauseMs = 5_000

/**
 * Copies a log and compares every event. Run again, it goes on where it was, or only compares.
 * @throws ConfigError for places that are none, or the same
 * @throws DifferentLogsError when the logs differ
 * @throws Error when the target does not say that it keeps all of it
 * @throws the signal's reason when it is aborted; and what opening, reading and writing the logs throws
 */
export async function copy(config: Config, { from, to, extensions = [], signal }: CopyArguments): Promise<void> {
  const [sourcePlace, targetPlace] = [logPlace(from), logPlace(to)]
  assertDifferent(sourcePlace, targetPlace)
  let failures = 0
  function warn(error: unknown): void {
    failures++
    console.error(error instanceof Error ? error.message : error)
  }
  await using opened = new AsyncDisposableStack()
  const source = await openLogEnd(sourcePlace, 'source', config, warn)
  opened.defer(source.close)
  const target = await openLogEnd(targetPlace, 'target', config, warn)
  opened.defer(target.close)
  const startedAt = performance.now()
  const report = await copyLog({
    source,
    target: { ...target, store: patient(target.store, signal) },
    managers: forReading(extensions).processes.map(({ name }) => name),
    inStage: shown,
    ...(signal && { signal }),
  })
  const before = failures
  await opened.disposeAsync()
  if (failures > before)
    throw new Error('It is not sure that the target keeps how far the processes are. Run the same command again.')
  printReport(report, (performance.now() - startedAt) / 1_000)
}

function assertDifferent(source: LogPlace, target: LogPlace): void {
  // One process holds one connection to an EventStoreDB, and knows of one MongoDB.
  if (source.kind === 'server' && target.kind === 'server')
    throw new ConfigError('One of --from and --to has to be a data directory, such as file:./data.')
  if (
    source.kind === 'directory' &&
    target.kind === 'directory' &&
    resolve(source.directory) === resolve(target.directory)
  )
    throw new ConfigError('--from and --to are the same data directory.')
}

/** A store whose appends are repeated unchanged while it can't serve, and as long as their outcome is unknown. */
function patient(store: EventStore, signal: AbortSignal | undefined): EventStore {
  return {
    ...store,
    append: (...args) =>
      pRetry(() => store.append(...args), {
        retries,
        minTimeout: 100,
        maxTimeout: longestPauseMs,
        randomize: true,
        ...(signal && { signal }),
        shouldRetry: ({ error }) => error instanceof InDoubtError || error instanceof UnavailableError,
      }),
  }
}

const shown: InStage = async (stage, work) => {
  const results: { readonly value: Awaited<ReturnType<typeof work>> }[] = []
  const task = new Listr(
    [
      {
        title: titles[stage],
        task: async (_context, own) => {
          const show = progress(own, 'events')
          const value = await work(({ events, position, head }) => {
            // Positions can have gaps: how many events there are in all is known at the end.
            if (position > 0) show(events, position === head ? events : Math.round((events * head) / position))
          })
          results.push({ value })
        },
      },
    ],
    // The signal stops it between two appends; Listr itself would end the process.
    { registerSignalListeners: false },
  )
  await task.run()
  const [result] = results
  if (result === undefined) throw new Error(`${titles[stage]} has no result`)
  return result.value
}

function printReport(
  { present, copied, events, digests, keys, credentials, checkpoints }: CopyReport,
  seconds: number,
): void {
  const count = (number: number) => number.toLocaleString('en')
  console.log(
    `\n${count(events)} events are in both logs, and all are equal. ${count(present)} were there before, ${count(copied)} were copied. It took ${seconds.toFixed(1)} s.`,
  )
  console.log(`SHA-256 of the source: ${digests.source}\nSHA-256 of the target: ${digests.target}`)
  console.log(
    `${count(keys)} keys, secrets and names of forgotten persons are in both vaults, ${count(credentials)} credentials in both stores.\n`,
  )
  printTable(
    ['process', 'position in the source', 'position in the target', 'event'],
    checkpoints.map(({ manager, from, position, eventId }) => [manager, String(from), String(position), eventId]),
  )
  console.log('\nStart Daybook on the target from now on, and never again on the source: both would do the same work.')
}
