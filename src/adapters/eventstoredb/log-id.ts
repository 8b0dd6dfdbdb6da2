import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Clock, pause } from '../../engine/clock.ts'
import {
  ConflictError,
  CorruptLogError,
  InDoubtError,
  NewerVersionError,
  UnavailableError,
} from '../../engine/errors.ts'
import { noStream } from '../../engine/event-store.ts'
import type { Appender } from './appender.ts'
import type { StoredEvent } from './read-answer.ts'
import { streamRequest } from './read-request.ts'
import type { Reader } from './reader.ts'
import { ownTypePrefix } from './stored-event.ts'

/** No stream of the shop has such a name: they all have a dash. */
const stream = 'daybook:log'
const type = `${ownTypePrefix}log`
/** How events, checkpoints and this are kept; rises when an older version could not read them. */
const layout = 1
const LogData = z.object({ layout: z.int() })

/**
 * The id of the log: that of the first event of a stream of its own. Whoever comes first writes it, and all who come at
 * the same time find the same.
 * @param timeoutMs how long it waits for a server that does not answer yet
 * @throws UnavailableError when none has answered by then, or it refuses
 * @throws NewerVersionError when a newer Daybook wrote the log
 */
export async function logIdOf(
  reader: Reader,
  appender: Appender,
  {
    clock,
    readTimeoutMs,
    timeoutMs,
  }: { readonly clock: Clock; readonly readTimeoutMs: number; readonly timeoutMs: number },
): Promise<string> {
  const beganMs = clock.monotonic()
  const id = randomUUID()
  for (let failures = 0; ; failures++) {
    try {
      return (await firstEvent()) ?? (await write())
    } catch (error) {
      const isPassing = error instanceof UnavailableError || error instanceof InDoubtError
      if (!isPassing || clock.monotonic() - beganMs >= timeoutMs) throw error
      await pause(clock, Math.min(1_000, 50 * 2 ** failures))
    }
  }

  async function firstEvent(): Promise<string | undefined> {
    const messages = await reader.read(streamRequest(stream, 0, 1))
    try {
      while (await messages.more(readTimeoutMs)) {
        const answer = messages.take()
        if (answer?.kind === 'event') return checked(answer.event)
      }
      return undefined
    } finally {
      messages.close(true)
    }
  }

  async function write(): Promise<string> {
    const event = { id, type, data: Buffer.from(JSON.stringify({ layout })), metadata: Buffer.from('{}') }
    try {
      await appender.append({ stream, expectedRevision: noStream, events: [event] })
      return id
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error
      const first = await firstEvent()
      if (first === undefined) throw error
      return first
    }
  }
}

function checked(stored: StoredEvent): string {
  const data = LogData.safeParse(JSON.parse(stored.data.toString()))
  if (stored.type !== type || !data.success) {
    throw new CorruptLogError(`Stream ${stream} in EventStoreDB was not written by Daybook. Use a server of its own.`)
  }
  if (data.data.layout > layout) {
    throw new NewerVersionError(
      `The log in EventStoreDB has layout ${data.data.layout}; this version of Daybook knows ${layout}. Use the version that wrote it, or a newer one.`,
    )
  }
  return stored.id
}
