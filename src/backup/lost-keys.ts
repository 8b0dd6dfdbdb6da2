import { checkLog, type LogSummary } from '../adapters/sqlite/log-check.ts'
import { openVaultReader } from '../adapters/sqlite/vault-check.ts'
import type { RecordedEvent } from '../engine/event-store.ts'
import type { EventRegistry } from '../engine/events.ts'
import { sealedFor } from '../engine/personal-data.ts'

/** Persons whose sealed data nobody can read: the vault has no key of theirs, and does not know that they were forgotten. */
export interface LostKeys {
  readonly persons: number
  /** There are more than were counted. */
  readonly isMore: boolean
  /** The first ids, in the order of the log. */
  readonly first: readonly string[]
}

const mostCounted = 10_000
const named = 10

/** Goes through a log, and finds out whose keys are lost. */
export interface KeyCheck {
  look(events: readonly RecordedEvent[]): void
  lost(): LostKeys
  close(): void
}

/**
 * Compares a log with a vault of the newest layout, in memory that has a bound.
 * @param registry the events of the shop, which say what in them is personal
 */
export function keyCheck(vaultFile: string, registry: EventRegistry): KeyCheck {
  const vault = openVaultReader(vaultFile)
  const found = new Set<string>()
  let isMore = false
  return {
    look(events) {
      if (isMore) return
      const persons = new Set(events.flatMap((event) => personsByDefinition(registry, event) ?? sealedFor(event.data)))
      for (const person of vault.unknown([...persons])) {
        if (found.size < mostCounted) found.add(person)
        else if (!found.has(person)) isMore = true
      }
    },
    lost: () => ({ persons: found.size, isMore, first: [...found].slice(0, named) }),
    close: vault.close,
  }
}

/**
 * The persons whose sealed values are where the shop says that an event has such; undefined where the shop can't say: a newer
 * version, or an extension that is not there, has written it, or its own code fails, which is no reason to have no backup.
 */
function personsByDefinition(
  registry: EventRegistry,
  { type, data, metadata: { version } }: RecordedEvent,
): readonly string[] | undefined {
  const definition = registry.byType.get(type)
  if (definition === undefined || version > definition.version) return undefined
  try {
    return sealedFor(definition.upcast(data, version), definition.schema)
  } catch {
    return undefined
  }
}

/**
 * Reads a log to its end, as `checkLog`, and finds out on the way whose keys are lost.
 * @param vaultFile where they are; absent, as the registry, where that can't be found out
 * @param onProgress told how far it is, in positions of the log; what it throws ends this
 * @throws CorruptLogError, NewerVersionError as `checkLog`
 */
export function checkLogAndKeys(
  logFile: string,
  vaultFile: string | undefined,
  registry: EventRegistry | undefined,
  onProgress: (position: number, head: number) => void,
): { readonly log: LogSummary; readonly lostKeys?: LostKeys } {
  const keys = vaultFile !== undefined && registry ? keyCheck(vaultFile, registry) : undefined
  try {
    const log = checkLog(logFile, (position, head, events) => {
      keys?.look(events)
      onProgress(position, head)
    })
    return { log, ...(keys && { lostKeys: keys.lost() }) }
  } finally {
    keys?.close()
  }
}

/** Said of a backup whose keys could not be compared with its log. */
export const lostUnknown =
  "Whether the vault has the keys of all personal data is not known: an extension can't be loaded, or the vault is an older version's. All events and keys are in the backup. Mend that and look again with daybook restore --check, or start Daybook once and take another backup."

/** One sentence on what is lost, and one on what to do; undefined where nothing is. */
export function describeLost({ persons, isMore, first }: LostKeys): string | undefined {
  if (persons === 0) return undefined
  const all = first.length === persons && !isMore
  return `The personal data of ${isMore ? 'more than ' : ''}${persons.toLocaleString('en')} ${persons === 1 ? 'person' : 'persons'} can't be read: they were not forgotten, but the vault has no key of ${first.join(', ')}${all ? '' : ' and others'}. Look whether an older backup has their keys, or forget them (POST /v1/customers/ID/forget): docs/damaged-files.md.`
}
