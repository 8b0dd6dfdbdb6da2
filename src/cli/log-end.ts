import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Config, ConfigError } from '../config.ts'
import { systemClock } from '../engine/clock.ts'
import { clusterShards } from '../engine/cluster.ts'
import type { Coordination } from '../engine/coordination.ts'
import type { LogEnd } from '../engine/copy-log.ts'
import { processLease } from '../engine/process-shards.ts'
import { openDocumentServer, openLogServer } from '../servers.ts'
import { filesOf, openingError, openStorage } from '../storage.ts'

/** The two places that a log can be in: a data directory, or EventStoreDB with the keys in MongoDB. */

export type LogPlace =
  | { readonly kind: 'directory'; readonly directory: string }
  | { readonly kind: 'server'; readonly url: string }

export interface OpenLogEnd extends LogEnd {
  close(): Promise<void>
}

/**
 * Reads where a log is.
 * @param url `file:./data`, `file:///var/lib/daybook` or `esdb://...`
 * @throws ConfigError for anything else
 */
export function logPlace(url: string): LogPlace {
  if (/^esdb(\+discover)?:\/\/./.test(url)) return { kind: 'server', url }
  if (url.startsWith('file:///')) return { kind: 'directory', directory: fileURLToPath(url) }
  if (/^file:(?!\/\/)./.test(url)) return { kind: 'directory', directory: url.slice('file:'.length) }
  throw new ConfigError(
    `${url.replace(/:.*$/s, ':…')} is no place of a log. Use file:./data for a data directory, or esdb://host:2113 for EventStoreDB.`,
  )
}

/**
 * Opens a log that no other process uses.
 * @param role a source has to be there, a target is made
 * @throws Error when it is not there, or in use; and as `openStorage`
 */
export async function openLogEnd(
  place: LogPlace,
  role: 'source' | 'target',
  config: Config,
  onError: (error: unknown) => void,
): Promise<OpenLogEnd> {
  return place.kind === 'directory'
    ? await openDirectory(place.directory, role, onError)
    : await openServers(place.url, config, onError)
}

async function openDirectory(
  directory: string,
  role: 'source' | 'target',
  onError: (error: unknown) => void,
): Promise<OpenLogEnd> {
  if (role === 'source' && !existsSync(filesOf(directory).log)) throw new Error(`There is no log in ${directory}.`)
  try {
    const { store, vault, credentials, close } = await openStorage(
      { DAYBOOK_DATA_DIR: directory },
      systemClock,
      onError,
    )
    return { store, vault, credentials, shards: 1, close }
  } catch (error) {
    if (error instanceof Error && error.name === 'DirectoryInUseError') {
      throw new Error(
        `A Daybook is running on ${directory}. Stop it first: what it does while its log is copied would be lost, or happen twice.`,
        { cause: error },
      )
    }
    throw openingError(directory, error)
  }
}

async function openServers(url: string, config: Config, onError: (error: unknown) => void): Promise<OpenLogEnd> {
  const { MONGODB_URL } = config
  if (MONGODB_URL === undefined) {
    throw new ConfigError(
      'MONGODB_URL is not set. It says where the keys of the log in EventStoreDB are, without which nobody can read its personal data.',
    )
  }
  const opened = new AsyncDisposableStack()
  try {
    const { vault, credentials, coordination, ...documents } = await openDocumentServer(MONGODB_URL, config, onError)
    opened.defer(documents.close)
    await assertNobodyRuns(coordination, config.DAYBOOK_LEASE_MS)
    const store = await openLogServer(url, systemClock, onError)
    opened.defer(store.close)
    const { takeLease, release } = leases(coordination)
    opened.defer(release)
    return { store, vault, credentials, shards: clusterShards, takeLease, close: () => opened.disposeAsync() }
  } catch (error) {
    await opened.disposeAsync()
    throw error
  }
}

/** A member that has ended without a word looks as if it were there, until its beat has stood still for long enough. */
async function assertNobodyRuns(coordination: Coordination, leaseMs: number): Promise<void> {
  const before = new Map((await coordination.members()).map(({ id, beat }) => [id, beat]))
  if (before.size === 0) return
  await sleep(leaseMs)
  const running = (await coordination.members()).filter(({ id, beat }) => before.get(id) !== beat)
  if (running.length === 0) return
  throw new Error(
    `Daybook processes are running on this cluster: ${running.map(({ id }) => id).join(', ')}. Stop them first: what they do while the log is copied would be lost, or happen twice.`,
  )
}

function leases(coordination: Coordination) {
  const owner = `copy-${randomUUID()}`
  const held = new Map<string, number>()
  return {
    async takeLease(manager: string, shard: number): Promise<number> {
      const name = processLease(manager, shard)
      const seen = (await coordination.leases()).find((lease) => lease.name === name)
      const token = await coordination.take(name, owner, seen)
      if (token === undefined)
        throw new Error(`A Daybook process runs ${manager}. Stop it, and run the same command again.`)
      held.set(name, token)
      return token
    },
    release: () => coordination.release(owner, held),
  }
}
