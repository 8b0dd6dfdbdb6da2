import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Listr } from 'listr2'
import { z } from 'zod'
import { lockDirectory } from '../adapters/sqlite/directory-lock.ts'
import { backups } from '../backup/backups.ts'
import { describeLost, type LostKeys, lostUnknown } from '../backup/lost-keys.ts'
import { type Restored, restoreBackup } from '../backup/restore.ts'
import { type Verified, verifyBackup } from '../backup/verify.ts'
import { type Config, ConfigError } from '../config.ts'
import { Id } from '../domain/values.ts'
import { systemClock } from '../engine/clock.ts'
import { type Definitions, registryOf } from '../engine/engine.ts'
import type { Extension } from '../extension.ts'
import { filesOf } from '../storage.ts'
import { version } from '../version.ts'
import { type Connection, connectRunning, succeed } from './connection.ts'
import { StoppedError } from './courier.ts'
import { printTable, progressLine } from './output.ts'
import { progress } from './progress.ts'

/** `daybook backup` and `daybook restore`: of what is kept in files. */

const Status = z.object({
  state: z.enum(['none', 'running', 'done', 'stopped', 'failed']),
  progress: z.object({ step: z.string(), done: z.number(), total: z.number() }).optional(),
  taken: z
    .object({
      position: z.int(),
      events: z.int(),
      bytes: z.int(),
      lostKeys: z.object({ persons: z.int(), isMore: z.boolean(), first: z.array(z.string()) }).optional(),
    })
    .optional(),
  error: z.string().optional(),
})
type Status = z.output<typeof Status>

/** A backup that is taken by the running server, or by this process where none runs. */
interface Taking {
  status(): Promise<Status>
  stop(): Promise<void>
  close(): Promise<void>
}

const pollEveryMs = 100
/** In a log nobody reads a line for each tenth of a second. */
const longestSilenceMs = 2_000
const megabyte = 1_000_000

/** @throws ConfigError where the log or the keys are on servers of their own */
function assertFiles({ EVENTSTOREDB_URL, MONGODB_URL }: Config): void {
  if (EVENTSTOREDB_URL === undefined && MONGODB_URL === undefined) return
  throw new ConfigError(
    'The log or the keys are on servers of their own (EVENTSTOREDB_URL, MONGODB_URL), which have tools for that. docs/operations.md, "Backup and restore", says in which order to use them.',
  )
}

/**
 * Takes a backup of the shop of the data directory, also while it runs, and shows how far it is.
 * @param target where it goes: a directory that is not there yet, or is empty
 * @param signal stops it, and nothing is left of it
 * @throws ConfigError where the log or the keys are on servers of their own
 * @throws StoppedError when it was stopped; Error when it fails
 */
export async function backup(
  config: Config,
  target: string,
  { signal, extensions }: { readonly signal: AbortSignal; readonly extensions: readonly Extension[] },
): Promise<void> {
  assertFiles(config)
  const directory = resolve(target)
  const running = await connectRunning(config)
  let taken: Status['taken']
  const taking = running ? await takeRemotely(running, directory) : takeHere(config, directory, extensions)
  try {
    const list = new Listr(
      [
        {
          title: `Back up to ${directory}`,
          async task(_context, task) {
            taken = await watch(taking, signal, task)
          },
        },
      ],
      { registerSignalListeners: false },
    )
    await list.run()
  } finally {
    await taking.close()
  }
  warn(taken?.lostKeys)
  console.log('It has the keys of all personal data: encrypt it, and keep it no longer than you may.')
}

async function takeRemotely(connection: Connection, directory: string): Promise<Taking> {
  await succeed(connection.send('POST', '/v1/backup', { body: { directory } }))
  return {
    status: async () => Status.parse((await succeed(connection.send('GET', '/v1/backup'))).body),
    async stop() {
      await succeed(connection.send('DELETE', '/v1/backup'))
    },
    close: connection.close,
  }
}

function takeHere(config: Config, directory: string, extensions: readonly Extension[]): Taking {
  const files = filesOf(config.DAYBOOK_DATA_DIR)
  const lock = lockDirectory(files.lock)
  const taken = backups({ files, version, extensions, now: systemClock.now })
  taken.begin(directory)
  return {
    status: async () => taken.status(),
    stop: async () => taken.stop(),
    async close() {
      await taken.close()
      lock.release()
    },
  }
}

async function watch(
  taking: Taking,
  signal: AbortSignal,
  task: { output: string; title: string },
): Promise<NonNullable<Status['taken']>> {
  const startedAt = performance.now()
  const showEveryMs = process.stdout.isTTY ? 0 : longestSilenceMs
  let shownAt = 0
  let isStopping = false
  for (;;) {
    const { state, progress: reached, taken, error } = await taking.status()
    if (state === 'stopped') throw new StoppedError('Stopped. Nothing is left of the backup.')
    if (state === 'done' && taken) {
      task.title = `${taken.events.toLocaleString('en')} events and all keys are in the backup, ${(taken.bytes / megabyte).toFixed(1)} MB; every checksum is right`
      return taken
    }
    if (state !== 'running') throw new Error(error ?? 'The server knows nothing of the backup: it was started anew.')
    const now = performance.now()
    if (reached && now - shownAt >= showEveryMs) {
      shownAt = now
      task.output = shown(reached, now - startedAt)
    }
    if (signal.aborted && !isStopping) {
      isStopping = true
      await taking.stop()
    }
    await sleep(pollEveryMs)
  }
}

function shown({ step, done, total }: NonNullable<Status['progress']>, elapsedMs: number): string {
  if (step === 'verify') return total === 0 ? 'Verify every file' : `Verify: ${progressLine(done, total, 0, 'events')}`
  return progressLine(done / megabyte, total / megabyte, done / megabyte / Math.max(0.001, elapsedMs / 1_000), 'MB')
}

function warn(lostKeys: LostKeys | undefined): void {
  const warning = lostKeys ? describeLost(lostKeys) : lostUnknown
  if (warning !== undefined) console.warn(warning)
}

export interface RestoreArguments {
  /** A file with ids of persons who were forgotten after the backup was taken, one a line. */
  readonly forgotten?: string
  /** Only look whether the backup is whole. */
  readonly check?: true
  /** Ends it between two steps, with its reason. */
  readonly signal: AbortSignal
  /** What the shop is made of. */
  readonly definitions: Definitions
}

/**
 * Makes the data directory of a backup, or only looks whether the backup is whole, and says so.
 * @returns false where it looked, and found personal data that nobody can read
 * @throws ConfigError where the log or the keys are on servers of their own
 * @throws BrokenBackupError, NewerVersionError, NotEmptyError as `verifyBackup` and `restoreBackup`
 * @throws the signal's reason when it is aborted
 */
export async function restore(config: Config, target: string, options: RestoreArguments): Promise<boolean> {
  assertFiles(config)
  const { signal, definitions, check } = options
  const files = filesOf(config.DAYBOOK_DATA_DIR)
  const forgotten = options.forgotten === undefined ? [] : personsIn(options.forgotten)
  const directory = resolve(target)
  const onStep = () => signal.throwIfAborted()
  const registry = registryOf(definitions)
  const verified: Verified[] = []
  const restored: Restored[] = []
  const list = new Listr(
    [
      {
        title: `Verify ${directory}`,
        async task(_context, task) {
          const show = progress(task, 'events')
          const onProgress = (position: number, head: number) => {
            onStep()
            show(position, head)
          }
          verified.push(await verifyBackup({ directory, files, registry, onProgress }))
        },
      },
      {
        title: `Restore into ${config.DAYBOOK_DATA_DIR}`,
        enabled: () => check !== true,
        async task() {
          for (const { manifest } of verified) {
            restored.push(
              await restoreBackup({
                backup: directory,
                manifest,
                files,
                forgotten,
                definitions,
                clock: systemClock,
                onStep,
              }),
            )
          }
        },
      },
    ],
    { registerSignalListeners: false },
  )
  await list.run()
  for (const { manifest, lostKeys } of verified) {
    const { log, takenAt } = manifest
    console.log(`${log.events.toLocaleString('en')} events, as they were at ${takenAt}; every checksum is right.`)
    warn(lostKeys)
  }
  if (check) return verified.every(({ lostKeys }) => !lostKeys?.persons)
  if (forgotten.length > 0) console.log(`${forgotten.length} persons were forgotten anew.`)
  for (const each of restored) printRestored(each)
  console.log(
    'What happened since is not in it: docs/damaged-files.md says what to compare, whom to forget anew, and which keys and secrets to revoke again. Then start Daybook.',
  )
  return true
}

const mostKeysShown = 100

function printRestored({ sessions, inForce: { apiKeys, webhooks } }: Restored): void {
  console.log(`Everybody logs in anew: ${sessions} sessions were ended. Passwords are those of then.`)
  console.log(
    `Good again are ${apiKeys.length} API keys, also those that were revoked since${apiKeys.length === 0 ? '.' : ' (daybook keys revoke ID):'}`,
  )
  if (apiKeys.length > 0) {
    const shown = apiKeys.slice(0, mostKeysShown)
    printTable(
      ['id', 'title', 'scopes'],
      shown.map(({ id, title, scopes }) => [id, title, scopes.join(',')]),
    )
    if (shown.length < apiKeys.length) console.log(`and ${apiKeys.length - shown.length} others (daybook keys list)`)
  }
  console.log(
    `Events are sent to ${webhooks.active} webhooks again, and ${webhooks.disabled} are disabled, also those that were deleted since (GET /v1/webhooks).`,
  )
}

/** @throws Error for a file that can't be read, or a line that is no id */
function personsIn(file: string): readonly string[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  for (const [index, line] of lines.entries()) {
    if (!Id.safeParse(line).success) throw new Error(`${file}, line ${index + 1}: ${line} is no id of a person.`)
  }
  return [...new Set(lines)]
}
