import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../../engine/clock.ts'
import { ConflictError } from '../../engine/errors.ts'
import { type Checkpoint, noStream } from '../../engine/event-store.ts'
import type { Appender } from './appender.ts'
import { streamEndRequest } from './read-request.ts'
import type { Reader } from './reader.ts'
import { ownTypePrefix } from './stored-event.ts'

/** Places of process managers, each name's in a stream of the log that keeps only the last few. */
export interface Checkpoints {
  load(name: string): Promise<Checkpoint | undefined>
  /** Saves it soon; of several that wait the last one counts. */
  save(name: string, checkpoint: Checkpoint, fence: number): void
  /** Saves at once what waits. */
  flush(): Promise<void>
}

export interface CheckpointsOptions {
  readonly reader: Reader
  readonly appender: Appender
  readonly clock: Clock
  readonly readTimeoutMs: number
  /** A name is saved no more often. */
  readonly saveEveryMs: number
  readonly onFailure: (error: unknown) => void
}

const Kept = z.object({
  checkpoint: z.object({ logId: z.string(), position: z.int(), eventId: z.string() }),
  fence: z.int(),
})
type Kept = z.output<typeof Kept>

/** The end of a stream. */
interface End {
  readonly revision: number
  /** That of the highest fence, the newest of several; undefined for a stream without any. */
  readonly kept: Kept | undefined
}

interface Slot {
  readonly name: string
  latest: Kept | undefined
  /** `latest` is not stored yet. */
  isDirty: boolean
  /** Revision of the stream's last event, undefined when that is not known. */
  revision: number | undefined
  saving: Promise<void> | undefined
  cancelTimer: (() => void) | undefined
  savedAtMs: number
}

const type = `${ownTypePrefix}checkpoint`
const keptEvents = 5
const retryAfterMs = 1_000

/** No stream of the shop has such a name: they all have a dash. */
function streamOf(name: string): string {
  return `daybook:checkpoint:${encodeURIComponent(name).replaceAll('-', '%2D')}`
}

function proposal(eventType: string, data: unknown) {
  return {
    id: randomUUID(),
    type: eventType,
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.from('{}'),
  }
}

export function checkpointsIn(options: CheckpointsOptions): Checkpoints {
  const { reader, appender, clock, readTimeoutMs, saveEveryMs, onFailure } = options
  const slots = new Map<string, Slot>()

  function slotOf(name: string): Slot {
    const slot = slots.get(name) ?? {
      name,
      latest: undefined,
      isDirty: false,
      revision: undefined,
      saving: undefined,
      cancelTimer: undefined,
      savedAtMs: -Infinity,
    }
    slots.set(name, slot)
    return slot
  }

  async function readEnd(name: string): Promise<End> {
    const messages = await reader.read(streamEndRequest(streamOf(name), keptEvents))
    let [revision, kept]: [number, Kept | undefined] = [noStream, undefined]
    try {
      while (await messages.more(readTimeoutMs)) {
        const answer = messages.take()
        if (answer?.kind !== 'event') continue
        const { event } = answer
        revision = Math.max(revision, event.revision)
        if (event.type !== type) continue
        const read = Kept.parse(JSON.parse(event.data.toString()))
        if (kept === undefined || read.fence > kept.fence) kept = read
      }
    } finally {
      messages.close(true)
    }
    return { revision, kept }
  }

  /** One that was fenced off appends at a revision that has passed, and finds the higher fence. */
  async function write(slot: Slot): Promise<void> {
    if (slot.revision === undefined) {
      const { revision, kept } = await readEnd(slot.name)
      if (kept !== undefined && slot.latest !== undefined && kept.fence > slot.latest.fence) {
        slot.latest = kept
        slot.isDirty = false
        return
      }
      if (revision === noStream) await keepOnlyTheLast(slot.name)
      slot.revision = revision
    }
    const { latest } = slot
    if (latest === undefined) return
    slot.isDirty = false
    const expectedRevision = slot.revision
    slot.revision = undefined
    try {
      const events = [proposal(type, latest)]
      slot.revision = (await appender.append({ stream: streamOf(slot.name), expectedRevision, events })).revision
    } catch (error) {
      slot.isDirty = true
      throw error
    }
  }

  /** Before the first one is written: who finds one need not do it again. */
  async function keepOnlyTheLast(name: string): Promise<void> {
    const events = [proposal('$metadata', { $maxCount: keptEvents })]
    await appender.append({ stream: `$$${streamOf(name)}`, expectedRevision: 'any', events })
  }

  /** @returns when it is stored, or it has failed */
  async function saveNow(slot: Slot): Promise<boolean> {
    slot.cancelTimer?.()
    slot.cancelTimer = undefined
    slot.savedAtMs = clock.monotonic()
    try {
      await write(slot)
      return true
    } catch (error) {
      if (error instanceof ConflictError) return true
      onFailure(error)
      return false
    }
  }

  function saveSoon(slot: Slot, earliestMs: number): void {
    if (slot.saving !== undefined || slot.cancelTimer !== undefined) return
    slot.cancelTimer = clock.after(Math.max(0, earliestMs - clock.monotonic()), () => start(slot))
  }

  function start(slot: Slot): void {
    slot.saving = saveNow(slot).then((isDone) => {
      slot.saving = undefined
      if (slot.isDirty) saveSoon(slot, slot.savedAtMs + (isDone ? saveEveryMs : retryAfterMs))
    })
  }

  return {
    async load(name) {
      const isUnsaved = () => {
        const { isDirty = false, saving } = slots.get(name) ?? {}
        return isDirty || saving !== undefined
      }
      // What is not stored before this looks may be stored while it does, and not be seen.
      const wasUnsaved = isUnsaved()
      const { kept } = await readEnd(name)
      const slot = slots.get(name)
      if (slot?.latest === undefined) return kept?.checkpoint
      const isOurs = kept === undefined || slot.latest.fence > kept.fence
      const isNewer = wasUnsaved || isUnsaved()
      if (isOurs || (isNewer && slot.latest.fence === kept?.fence)) return slot.latest.checkpoint
      return kept?.checkpoint
    },

    save(name, { logId, position, eventId }, fence) {
      const slot = slotOf(name)
      if (slot.latest !== undefined && fence < slot.latest.fence) return
      slot.latest = { checkpoint: { logId, position, eventId }, fence }
      slot.isDirty = true
      saveSoon(slot, slot.savedAtMs + saveEveryMs)
    },

    async flush() {
      await Promise.all(
        [...slots.values()].map(async (slot) => {
          await slot.saving
          // Once more after a conflict, for then it is known what is there.
          for (let tries = 0; slot.isDirty && tries < 3; tries++) {
            slot.cancelTimer?.()
            start(slot)
            await slot.saving
          }
          slot.cancelTimer?.()
        }),
      )
    },
  }
}
