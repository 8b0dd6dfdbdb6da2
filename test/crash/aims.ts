import { copyFileSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts'
import type { Random } from '../../src/cli/random.ts'
import { stockItem } from '../../src/domain/stock-item.ts'
import { streamName } from '../../src/engine/streams.ts'
import { filesOf } from '../../src/storage.ts'
import type { ServerProcess } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import type { Client, Meeting } from './client.ts'
import type { ImportRun, Imports } from './import-run.ts'
import type { Journal } from './journal.ts'
import { hotSku, type Load } from './load.ts'
import { isInCheckpoint } from './wal-index.ts'

/** Where a kill is aimed at: something is brought about, and the moment waited for. */
export interface Aim {
  readonly name: string
  /** The server is not waited for, but killed before it is ready. */
  readonly whileStarting?: true
  /**
   * Resolves when the time has come.
   * @returns what tells, when the server is dead, whether that met what it was aimed at, as far as the files that
   * are left show; nobody has opened them since
   */
  take(around: Surroundings): Promise<Judge>
}

type Judge = (diedAt: number) => boolean | Promise<boolean>

export interface Surroundings {
  readonly directory: string
  readonly server: ServerProcess
  readonly shop: Meeting
  readonly client: Client
  readonly load: Load
  readonly journal: Journal
  readonly imports: Imports
  readonly chance: Random
  /** Dies with the server. */
  victim?: ImportRun
  /** How long it takes when nobody kills it, in milliseconds. */
  readonly lengths: { readonly rebuildMs: number; readonly startMs: number; stopMs: number }
}

const longestWaitMs = 10_000
const longestLoadMs = 500
const longestImportMs = 400

/** Looks again in each turn of the event loop, until something is so or much time has passed. */
async function seen(isSo: () => boolean): Promise<boolean> {
  for (const deadline = Date.now() + longestWaitMs; Date.now() < deadline; await turn()) if (isSo()) return true
  return false
}

async function anyMoment(chance: Random, longestMs: number): Promise<void> {
  await sleep(chance.next() * longestMs)
}

/** Asks a copy of a database, so that the one that is left stays as it was left. */
async function askCopy<Result>(file: string, ask: (copy: string) => Result | Promise<Result>): Promise<Result> {
  const { path, remove } = temporaryDirectory()
  try {
    const copy = join(path, 'copy.db')
    for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix)
    return await ask(copy)
  } finally {
    remove()
  }
}

/** @param options with `readOnly` also while a server has it open */
function numberIn(file: string, sql: string, options: { readonly readOnly?: boolean } = {}): number {
  const database = new DatabaseSync(file, options)
  try {
    const [value] = Object.values(database.prepare(sql).get() ?? {})
    return typeof value === 'number' ? value : -1
  } finally {
    database.close()
  }
}

function pointersOf(directory: string): string {
  return join(filesOf(directory).readModels, 'generations.db')
}

/** When it was last noted which generations there are and which of them are live. */
function pointersWrittenAt(directory: string): bigint | undefined {
  return statSync(`${pointersOf(directory)}-wal`, { bigint: true, throwIfNoEntry: false })?.mtimeNs
}

const rebuildable = ['orders', 'sales', 'catalogue', 'carts', 'order-timeline', 'payments'] as const

async function askForRebuild({ client, chance }: Surroundings): Promise<void> {
  const { status } = await client.ask(`/v1/projections/${chance.pick(rebuildable)}/rebuild`, 'staff')
  if (status !== 202) throw new Error(`A rebuild was not taken on: ${status}`)
}

/** Amid all that goes on. It hits where something was to be answered. */
const load: Aim = {
  name: 'mixed load',
  async take({ chance, journal }) {
    await anyMoment(chance, longestLoadMs)
    const underWay = journal.underWay()
    return () => underWay > 0
  },
}

/** Between the request for a rebuild and its end. It hits where a generation is left half-built. */
const rebuild: Aim = {
  name: 'rebuild',
  async take(around) {
    await askForRebuild(around)
    await anyMoment(around.chance, around.lengths.rebuildMs)
    const building = "SELECT count(*) FROM generation WHERE state = 'building'"
    return async () => (await askCopy(pointersOf(around.directory), (copy) => numberIn(copy, building))) > 0
  },
}

const swapWindowMs = 5

/** As it is noted that the new generation is live. It hits within 5 ms. */
const swap: Aim = {
  name: 'swap of a generation',
  async take(around) {
    const { directory, chance } = around
    let last = pointersWrittenAt(directory)
    const isWritten = () => pointersWrittenAt(directory) !== last
    await askForRebuild(around)
    // The first time the new generation is noted, the second time it is live.
    await seen(isWritten)
    await sleep(20)
    last = pointersWrittenAt(directory)
    const isSeen = await seen(isWritten)
    const seenAt = Date.now()
    if (chance.next() < 0.5) await anyMoment(chance, swapWindowMs)
    return (diedAt) => isSeen && diedAt - seenAt <= swapWindowMs
  },
}

/** As a snapshot is due. It hits where the log has the event that made it due, and the snapshot is not there. */
const snapshot: Aim = {
  name: 'snapshot',
  async take({ directory, load, chance }) {
    const stream = streamName(stockItem.category, hotSku)
    const file = join(filesOf(directory).readModels, 'snapshots.db')
    const revisionOfSnapshot = `SELECT revision FROM snapshot WHERE stream = '${stream}'`
    const due = numberIn(file, revisionOfSnapshot, { readOnly: true }) + (stockItem.snapshot?.every ?? 0)
    let isOver = false
    load.heatUp(() => isOver)
    // Whoever is told of the event that made it due is told when it is there.
    const early = chance.between(1, 16)
    await seen(() => load.hotRevision() >= due - early)
    await anyMoment(chance, early)
    return async () => {
      isOver = true
      if ((await askCopy(file, (copy) => numberIn(copy, revisionOfSnapshot))) >= due) return false
      return await askCopy(filesOf(directory).log, async (copy) => {
        const store = await openSqliteEventStore({ file: copy, readOnly: true })
        try {
          for await (const events of store.readStream(stream, { fromRevision: due })) return events.length > 0
          return false
        } finally {
          await store.close()
        }
      })
    }
  },
}

/** While the write-ahead log of the log goes into its file. It hits where SQLite had noted that it began, and not that it ended. */
const checkpoint: Aim = {
  name: 'checkpoint of the WAL',
  async take({ directory }) {
    const { log } = filesOf(directory)
    await seen(() => isInCheckpoint(log))
    return () => isInCheckpoint(log)
  },
}

/** While the command line sends the orders of a file. It hits where some were still to be sent. */
const importing: Aim = {
  name: 'import',
  async take(around) {
    const run = around.imports.start()
    around.victim = run
    await run.sending
    await anyMoment(around.chance, longestImportMs)
    return run.isSending
  },
}

/** While it opens what the last kill has left. It hits where it was not ready. */
const start: Aim = {
  name: 'start',
  whileStarting: true,
  async take({ directory, chance, lengths }) {
    await anyMoment(chance, lengths.startMs)
    return () => !existsSync(filesOf(directory).server)
  },
}

/** While it finishes what was accepted, after it was asked to stop. It hits where it had not ended. */
const stop: Aim = {
  name: 'graceful stop',
  async take({ server, shop, chance, lengths }) {
    await anyMoment(chance, longestLoadMs)
    shop.down()
    server.signal('SIGTERM')
    const askedAt = Date.now()
    const isKilled = server.ended.then(({ signal }) => {
      if (signal === null) lengths.stopMs = Date.now() - askedAt
      return signal === 'SIGKILL'
    })
    await anyMoment(chance, lengths.stopMs)
    return () => isKilled
  },
}

/** Every ten kills have each of them, and mixed load thrice. */
export const aims: readonly Aim[] = [load, load, load, rebuild, swap, snapshot, checkpoint, importing, start, stop]
