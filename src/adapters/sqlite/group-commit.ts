import { checkAppend } from '../../engine/append-limits.ts'
import { ConflictError, InDoubtError, UnavailableError } from '../../engine/errors.ts'
import type { AppendBacklog, AppendResult, Checkpoint, NewEvent, RecordedEvent } from '../../engine/event-store.ts'
import type { LiveTail } from './live-tail.ts'
import { cell, type Failed, type Group, type Written } from './log-group.ts'
import { corruptLog } from './log-layout.ts'
import type { LogWriter } from './writer-thread.ts'

export interface GroupCommitOptions {
  readonly file: string
  readonly writer: LogWriter
  /** Is told of what was written, before those who asked for it. */
  readonly tail: LiveTail
  /** What may wait or be under way; beyond it an append is refused. */
  readonly maxQueuedAppends: number
  readonly maxQueuedBytes: number
  /** Checkpoints that no append takes along are written after this time. */
  readonly checkpointDelayMs: number
}

/** Writes appends and checkpoints in groups: those that come while a group is under way make the next. */
export interface GroupCommit {
  append(stream: string, expectedRevision: number, events: readonly NewEvent[]): Promise<AppendResult>
  /** @param fence need not outlive the process, for only one has the file */
  saveCheckpoint(name: string, checkpoint: Checkpoint, fence?: number): void
  /** The latest checkpoint that was saved here, whether it is written or not. */
  checkpoint(name: string): Checkpoint | undefined
  /** What waits or is under way. */
  backlog(): AppendBacklog
  /** Waits for what is under way, writes the last checkpoints, and closes the writer. */
  close(): Promise<void>
}

interface Pending {
  readonly stream: string
  readonly expectedRevision: number
  readonly events: readonly NewEvent[]
  readonly bytes: number
  resolve(result: AppendResult): void
  reject(error: unknown): void
}

/** So many go at once, in the turn in which they come, so that deciding and writing overlap. */
const fullGroup = 64
/** On a slow disk the largest groups are the quickest. */
const quickWriteMs = 5
const maxGroupsUnderWay = 2
const maxGroupEvents = 4_000
const maxGroupBytes = 8 * 1024 * 1024

/** @throws UnavailableError with `log-closed` */
export function refuseClosed(): never {
  throw new UnavailableError('log-closed', 'The event log is closed.')
}

/** Starts to take appends. */
export function groupCommit(options: GroupCommitOptions): GroupCommit {
  const { file, writer, tail, maxQueuedAppends, maxQueuedBytes, checkpointDelayMs } = options
  const checkpoints = new Map<string, { readonly checkpoint: Checkpoint; readonly fence: number }>()
  const unsaved = new Set<string>()
  let queue: Pending[] = []
  let unsettled = 0
  let unsettledBytes = 0
  /** A group that goes in the next turn. */
  let scheduled: NodeJS.Immediate | undefined
  let groupsUnderWay = 0
  let lastWriteMs = Infinity
  let timer: NodeJS.Timeout | undefined
  /** The timer has fired: what it is for goes with the next group, or makes one. */
  let isCheckpointDue = false
  let closing: Promise<void> | undefined
  let onIdle = () => {}

  function isBusy(): boolean {
    return scheduled !== undefined || groupsUnderWay > 0
  }

  /** The turn of the event loop lets what arrives together be written together. */
  function runSoon(): void {
    if (!isBusy()) scheduled = setImmediate(() => void run())
  }

  async function run(): Promise<void> {
    clearImmediate(scheduled)
    scheduled = undefined
    clearTimeout(timer)
    timer = undefined
    isCheckpointDue = false
    const appends = takeGroup()
    const names = [...unsaved]
    unsaved.clear()
    groupsUnderWay++
    const answer = await writer.write(encode(appends, names))
    groupsUnderWay--
    if (answer.kind === 'written') settle(appends, answer)
    else fail(appends, names, answer)
    if (queue.length > 0 || isCheckpointDue) runSoon()
    else if (unsaved.size > 0) saveLater()
    if (!isBusy()) onIdle()
  }

  function takeGroup(): readonly Pending[] {
    let [appends, events, bytes] = [0, 0, 0]
    for (const pending of queue) {
      events += pending.events.length
      bytes += pending.bytes
      if (appends > 0 && (events > maxGroupEvents || bytes > maxGroupBytes)) break
      appends++
    }
    const group = queue.slice(0, appends)
    queue = queue.slice(appends)
    return group
  }

  function encode(appends: readonly Pending[], names: readonly string[]): Group {
    const streams: string[] = []
    const numbers: number[] = []
    const texts: string[] = []
    for (const { stream, expectedRevision, events } of appends) {
      streams.push(stream)
      numbers.push(expectedRevision, events.length)
      for (const { id, type, dataJson, metadataJson } of events) texts.push(id, type, dataJson, metadataJson)
    }
    const named = names.flatMap((name) => {
      const checkpoint = checkpoints.get(name)?.checkpoint
      return checkpoint === undefined ? [] : [{ name, checkpoint }]
    })
    return { streams, numbers, texts, checkpoints: named }
  }

  function settled({ bytes }: Pending): void {
    unsettled--
    unsettledBytes -= bytes
  }

  function settle(appends: readonly Pending[], { firstPositions, repeated, conflicts, tookMs }: Written): void {
    lastWriteMs = tookMs
    for (const [index, pending] of appends.entries()) {
      const first = cell(firstPositions, index)
      if (first > 0) tail.add(recorded(pending, first), pending.bytes)
    }
    tail.wake()
    for (const [index, pending] of appends.entries()) {
      settled(pending)
      const first = cell(firstPositions, index)
      if (first === 0) continue
      const { expectedRevision, events, resolve } = pending
      resolve({ revision: expectedRevision + events.length, positions: events.map((_, place) => first + place) })
    }
    for (const { index, positions } of repeated) {
      const { expectedRevision, events, resolve } = cell(appends, index)
      resolve({ revision: expectedRevision + events.length, positions })
    }
    for (const { index, actualRevision } of conflicts) {
      const { stream, expectedRevision, reject } = cell(appends, index)
      reject(new ConflictError(stream, expectedRevision, actualRevision))
    }
  }

  function fail(appends: readonly Pending[], names: readonly string[], { outcome, message }: Failed): void {
    for (const name of names) unsaved.add(name)
    // If it was written all the same, subscribers find it in the store.
    if (outcome === 'in-doubt') tail.lose()
    for (const pending of appends) {
      settled(pending)
      pending.reject(errorOf(outcome, message))
    }
  }

  function errorOf(outcome: Failed['outcome'], message: string): Error {
    if (outcome === 'in-doubt') return new InDoubtError(`It is unknown whether the append was written: ${message}`)
    if (outcome === 'corrupt') return corruptLog(file, message)
    const cause = new Error(message)
    return new UnavailableError('log-unavailable', 'The event log takes no writes now. Try again.', 1, { cause })
  }

  function saveLater(): void {
    timer ??= setTimeout(() => {
      timer = undefined
      isCheckpointDue = true
      runSoon()
    }, checkpointDelayMs).unref()
  }

  async function idle(): Promise<void> {
    if (!isBusy()) return
    await new Promise<void>((resolve) => {
      onIdle = resolve
    })
  }

  async function closeWriter(): Promise<void> {
    await idle()
    if (unsaved.size > 0) {
      runSoon()
      await idle()
    }
    clearTimeout(timer)
    await writer.close()
  }

  return {
    async append(stream, expectedRevision, events) {
      if (closing !== undefined) refuseClosed()
      const bytes = checkAppend(stream, expectedRevision, events)
      if (unsettled >= maxQueuedAppends || unsettledBytes + bytes > maxQueuedBytes) {
        throw new UnavailableError('log-busy', 'Too many appends wait to be written. Try again.')
      }
      unsettled++
      unsettledBytes += bytes
      return new Promise((resolve, reject) => {
        queue.push({ stream, expectedRevision, events, bytes, resolve, reject })
        const isFull = queue.length >= fullGroup && lastWriteMs < quickWriteMs
        if (isFull && groupsUnderWay < maxGroupsUnderWay) void run()
        else runSoon()
      })
    },

    saveCheckpoint(name, checkpoint, fence = 0) {
      if (closing !== undefined) refuseClosed()
      if (fence < (checkpoints.get(name)?.fence ?? 0)) return
      checkpoints.set(name, { checkpoint, fence })
      unsaved.add(name)
      if (!isBusy()) saveLater()
    },

    checkpoint: (name) => checkpoints.get(name)?.checkpoint,

    backlog: () => ({ appends: unsettled, bytes: unsettledBytes }),

    close() {
      closing ??= closeWriter()
      return closing
    },
  }
}

/** The events as the store would return them. */
function recorded({ stream, expectedRevision, events }: Pending, firstPosition: number): readonly RecordedEvent[] {
  return events.map(({ id, type, data, metadata }, index) => ({
    position: firstPosition + index,
    stream,
    revision: expectedRevision + 1 + index,
    id,
    type,
    data,
    metadata,
  }))
}
