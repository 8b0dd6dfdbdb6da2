import { byteSize } from './command.ts'
import type { CredentialStore } from './credential-store.ts'
import { ConflictError, CorruptLogError, DifferentLogsError } from './errors.ts'
import { type EventStore, maxAppendBytes, type NewEvent, type RecordedEvent } from './event-store.ts'
import type { KeyVault } from './key-vault.ts'
import { compareLogs, type LogProgress } from './log-comparison.ts'
import { checkpointMove, type MovedCheckpoint, type ShardedLog, saveMoved } from './moved-checkpoints.ts'
import { moveCredentials } from './moved-credentials.ts'
import { moveKeys } from './moved-keys.ts'

/**
 * Brings a log into another event store: the same events in the same order, and what goes with them. How far it is, is
 * read from the target itself, so that it goes on after whatever has interrupted it.
 */

/** One of the two ends of a move. */
export interface LogEnd extends ShardedLog {
  readonly vault: KeyVault
  readonly credentials: Pick<CredentialStore, 'entries' | 'restore' | 'find' | 'remove' | 'forget'>
}

export type CopyStage = 'compare' | 'keys' | 'credentials' | 'copy' | 'verify' | 'checkpoints'

/** Runs a stage, and shows how far it is; the position is 0 where entries of a vault, or credentials, are counted. */
export type InStage = <T>(
  stage: CopyStage,
  work: (onProgress: (progress: LogProgress) => void) => Promise<T>,
) => Promise<T>

export interface CopyOptions {
  readonly source: LogEnd
  readonly target: LogEnd
  /** Names of the process managers whose checkpoints go along. */
  readonly managers: readonly string[]
  readonly inStage?: InStage
  /** Stops it after the append that is under way. */
  readonly signal?: AbortSignal
}

export interface CopyReport {
  /** Events that were in the target before. */
  readonly present: number
  readonly copied: number
  /** Events of both logs, all compared. */
  readonly events: number
  /** SHA-256 of all events of each log, in hex. */
  readonly digests: { readonly source: string; readonly target: string }
  /** Keys, secrets and forgotten persons. */
  readonly keys: number
  /** Accounts, sessions and counts of tries. */
  readonly credentials: number
  readonly checkpoints: readonly MovedCheckpoint[]
}

const advice = 'Choose an empty target, or the one that this source was copied to before.'

/**
 * Copies a log with its keys, compares every event, then sets the checkpoints. Nothing else may write to either end
 * meanwhile. Run again after an interruption it goes on; run again when all is there it only compares.
 * @throws DifferentLogsError when the target holds other events, or either end was written to by somebody else
 * @throws CorruptLogError for a source that is damaged, or has events and no keys
 * @throws the signal's reason when it is aborted, and what either end throws
 */
export async function copyLog(options: CopyOptions): Promise<CopyReport> {
  const { managers, signal } = options
  const inStage: InStage = options.inStage ?? ((_stage, work) => work(() => {}))
  const [source, target] = [options.source.store, options.target.store]
  if (source.logId === target.logId) throw new DifferentLogsError('The source and the target are the same log.')
  const stop = signal && { signal }

  await assertHasKeys(options.source)
  const before = await inStage('compare', async (onProgress) => {
    try {
      return await compareLogs({ source, target, onProgress, ...stop })
    } catch (error) {
      if (!(error instanceof DifferentLogsError)) throw error
      throw new DifferentLogsError(`The target holds another log. ${error.message} ${advice}`)
    }
  })
  if (before.longer === 'target') {
    throw new DifferentLogsError(
      `The target holds all ${before.events} events of the source and further ones: it has gone on since it was copied. ${advice}`,
    )
  }
  // Before the events: nobody could read them, and who was forgotten must stay so.
  const keys = await inStage('keys', (onProgress) =>
    moveKeys({ source: options.source.vault, target: options.target.vault }, (events) =>
      onProgress({ events, position: 0, head: 0 }),
    ),
  )
  const credentials = await inStage('credentials', (onProgress) =>
    moveCredentials({
      source: options.source.credentials,
      target: options.target.credentials,
      vault: options.target.vault,
      onProgress: (events) => onProgress({ events, position: 0, head: 0 }),
      ...stop,
    }),
  )
  const copied = await inStage('copy', (onProgress) => copyEvents({ source, target, before, onProgress, ...stop }))
  const checkpoints = await checkpointMove(options.source, managers)
  const verified = await inStage('verify', async (onProgress) => {
    try {
      return await compareLogs({ source, target, onProgress, onSame: checkpoints.note, ...stop })
    } catch (error) {
      if (!(error instanceof DifferentLogsError)) throw error
      throw new DifferentLogsError(
        `The copy is not what the source holds. ${error.message} Copy it anew, into an empty target.`,
      )
    }
  })
  if (verified.longer !== undefined || verified.events !== before.events + copied) {
    throw new DifferentLogsError(
      `The ${verified.longer ?? 'source'} was written to while it was copied. Stop all Daybook processes that use it, and run the same command again.`,
    )
  }
  const moved = checkpoints.moved()
  await inStage('checkpoints', () => saveMoved(options.target, moved))
  const { events, digests } = verified
  return { present: before.events, copied, events, digests, keys, credentials, checkpoints: moved }
}

/** A shop makes secrets before anything can happen in it. With the vault of another shop nobody could read the copy. */
async function assertHasKeys({ store, vault }: LogEnd): Promise<void> {
  if ((await store.head()).position === 0) return
  for await (const entries of vault.entries()) if (entries.length > 0) return
  throw new CorruptLogError(
    'The source has events, but its vault has no keys: nobody could read its personal data. Set MONGODB_URL to the database that the shop ran with, or restore its keys from a backup.',
  )
}

/** Consecutive events of one stream, as they are appended. */
interface Run {
  readonly stream: string
  readonly expectedRevision: number
  readonly events: NewEvent[]
  bytes: number
}

function asNew({ id, type, data, metadata }: RecordedEvent): NewEvent {
  // JSON that was written from plain values comes out again as it was, byte by byte.
  return { id, type, data, metadata, dataJson: JSON.stringify(data), metadataJson: JSON.stringify(metadata) }
}

/**
 * Appends what the target lacks. Each append waits for the one before it, for stores promise no order between streams.
 * Where a run of events ends follows from the events alone: an append whose answer was lost is found again by its ids.
 * @returns how many events were copied
 */
async function copyEvents(options: {
  readonly source: EventStore
  readonly target: EventStore
  readonly before: { readonly events: number; readonly position: number }
  readonly onProgress: (progress: LogProgress) => void
  readonly signal?: AbortSignal
}): Promise<number> {
  const { source, target, before, onProgress, signal } = options
  const { position: head } = await source.head()
  let run: Run | undefined
  let copied = 0

  async function append({ stream, expectedRevision, events }: Run): Promise<void> {
    signal?.throwIfAborted()
    try {
      await target.append(stream, expectedRevision, events)
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      throw new DifferentLogsError(
        `The target was written to while events were copied: ${error.message}. Stop all Daybook processes that use it, and run the same command again.`,
      )
    }
    copied += events.length
  }

  for await (const batch of source.readAll({ after: before.position })) {
    for (const event of batch.events) {
      const next = asNew(event)
      const bytes = byteSize([next])
      if (run?.stream === event.stream && run.bytes + bytes <= maxAppendBytes) {
        run.events.push(next)
        run.bytes += bytes
        continue
      }
      if (run) {
        await append(run)
        onProgress({ events: before.events + copied, position: event.position - 1, head })
      }
      run = { stream: event.stream, expectedRevision: event.revision - 1, events: [next], bytes }
    }
  }
  if (run) await append(run)
  onProgress({ events: before.events + copied, position: head, head })
  return copied
}
