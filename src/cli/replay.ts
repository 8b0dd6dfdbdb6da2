import { existsSync } from 'node:fs'
import { openSqliteEventStore } from '../adapters/sqlite/event-store.ts'
import type { Config } from '../config.ts'
import { systemClock } from '../engine/clock.ts'
import type { EventStore, RecordedEvent } from '../engine/event-store.ts'
import { openLogServer } from '../servers.ts'
import { filesOf } from '../storage.ts'
import { printTable } from './output.ts'

export interface ReplayOptions {
  /** Only this stream, such as `order-0198f0c2`. */
  readonly stream?: string
  /** Only these event types. */
  readonly type?: readonly string[]
  /** Only what occurred from this time on, and before that one, ISO 8601. */
  readonly from?: string
  readonly to?: string
  /** At most so many events. */
  readonly limit?: number
  readonly format: 'table' | 'ndjson'
}

const tableRows = 500

/**
 * Prints events of the log in their order, with personal data sealed as it is. Reads the files beside a running server.
 * @throws Error when there is no log, or a time can't be read
 */
export async function replay(config: Config, options: ReplayOptions): Promise<void> {
  const store = await openLog(config)
  const print = printer(options.format)
  const { limit = Number.POSITIVE_INFINITY } = options
  let printed = 0
  try {
    for await (const events of batches(store, options)) {
      for (const event of events) {
        if (!isWithin(event, options)) continue
        if (printed++ >= limit) return
        await print.event(event)
      }
    }
    if (printed === 0) console.error('Nothing like that happened.')
  } finally {
    print.end()
    await store.close()
  }
}

async function openLog({ EVENTSTOREDB_URL, DAYBOOK_DATA_DIR }: Config): Promise<EventStore> {
  if (EVENTSTOREDB_URL !== undefined) return await openLogServer(EVENTSTOREDB_URL, systemClock, () => {})
  const file = filesOf(DAYBOOK_DATA_DIR).log
  if (!existsSync(file))
    throw new Error(`There is no log in ${DAYBOOK_DATA_DIR}. Set DAYBOOK_DATA_DIR, or start Daybook once.`)
  return await openSqliteEventStore({ file, readOnly: true })
}

async function* batches(store: EventStore, { stream, type }: ReplayOptions) {
  const types = type && type.length > 0 ? new Set(type) : undefined
  if (stream !== undefined) {
    for await (const events of store.readStream(stream)) yield events.filter((event) => !types || types.has(event.type))
    return
  }
  for await (const { events } of store.readAll({ after: 0, ...(types && { filter: { types } }) })) yield events
}

function instant(text: string, option: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new Error(`${option} ${text} is no time. Use one like 2026-01-31 or 2026-01-31T12:00:00Z.`)
  return time
}

function isWithin({ metadata }: RecordedEvent, { from, to }: ReplayOptions): boolean {
  const time = Date.parse(metadata.occurredAt)
  return (from === undefined || time >= instant(from, '--from')) && (to === undefined || time < instant(to, '--to'))
}

function printer(format: ReplayOptions['format']) {
  if (format === 'ndjson') {
    return {
      async event(event: RecordedEvent) {
        if (!process.stdout.write(`${JSON.stringify(event)}\n`)) {
          await new Promise<void>((resolve) => process.stdout.once('drain', resolve))
        }
      },
      end() {},
    }
  }
  let rows: string[][] = []
  const head = ['position', 'occurred', 'stream', 'revision', 'type', 'actor', 'data']
  const flush = () => {
    if (rows.length > 0) printTable(head, rows)
    rows = []
  }
  return {
    async event({ position, stream, revision, type, data, metadata: { occurredAt, actor } }: RecordedEvent) {
      rows.push([
        String(position),
        occurredAt,
        stream,
        String(revision),
        type,
        `${actor.kind} ${actor.id}`,
        JSON.stringify(data),
      ])
      if (rows.length >= tableRows) flush()
    },
    end: flush,
  }
}
