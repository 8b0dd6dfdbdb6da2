import { randomUUID } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts'
import { openSqliteKeyVault } from '../src/adapters/sqlite/key-vault.ts'
import { random } from '../src/cli/random.ts'
import { type EventStore, noStream, type RecordedEvent } from '../src/engine/event-store.ts'
import { type PersonalData, personalData } from '../src/engine/personal-data.ts'
import { idOf } from '../src/engine/streams.ts'
import { forReading } from '../src/shop.ts'
import { filesOf } from '../src/storage.ts'
import { type CopiedAppend, type Copy, copyOf, type Original, originalOf } from './event-copies.ts'
import { makePurchases, type PurchaseParts } from './sample-purchases.ts'
import { fillShop, startShop } from './shop.ts'

/**
 * Stores with as many events as a shop has after years, made within a minute. A small shop is made and a hundred
 * purchases of its mix in it, by commands. Then these are copied, with other ids, people, keys and times, straight
 * into the log, as many under way at a time as in a busy shop. All invariants hold in it: nothing is oversold, no
 * work is open, and process managers have seen everything, so that a start has nothing to do but to read.
 */

type Progress = (what: string) => void

/** Purchases that go on at once. */
const atOnce = 32
/** Purchases after which the next part of one follows: its shipment, its delivery, its refund. */
const partsLag = 1_000
const spanMs = 365 * 86_400_000
/** Events that may wait to be written. */
const maxUnwritten = 4_000
const progressEvery = 100_000

const stores = new Map<number, Promise<string>>()
let sample: Promise<Sample> | undefined
let own: string | undefined

interface Sample {
  readonly directory: string
  readonly purchases: readonly PurchaseParts[]
}

/** Where stores are made: kept from run to run in DAYBOOK_BENCH_STORES, otherwise for this process alone. */
function root(): string {
  const kept = process.env.DAYBOOK_BENCH_STORES
  if (kept !== undefined) {
    mkdirSync(kept, { recursive: true })
    return kept
  }
  if (own === undefined) {
    const directory = mkdtempSync(join(process.env.DAYBOOK_BENCH_DIR ?? tmpdir(), 'daybook-bench-stores-'))
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
    own = directory
  }
  return own
}

/**
 * A data directory whose log has at least so many events, without read models: the same one for all who ask in this
 * process, who must leave its log as it is.
 */
export function bigStore(events: number, progress: Progress): Promise<string> {
  const known = stores.get(events)
  if (known !== undefined) return known
  const made = make(join(root(), `${events}-events`), events, progress)
  stores.set(events, made)
  return made
}

async function make(directory: string, events: number, progress: Progress): Promise<string> {
  if (existsSync(directory)) return directory
  sample ??= makeSample(join(root(), 'sample'), progress)
  const { directory: from, purchases } = await sample
  const making = `${directory}.new`
  rmSync(making, { recursive: true, force: true })
  mkdirSync(making)
  const [source, target] = [filesOf(from), filesOf(making)]
  cpSync(source.log, target.log)
  cpSync(source.vault, target.vault)
  cpSync(source.credentials, target.credentials)
  const store = await openSqliteEventStore({ file: target.log })
  const vault = openSqliteKeyVault({ file: target.vault })
  try {
    await fill(store, personalData(vault), purchases, events, progress)
  } finally {
    await vault.close()
    await store.close()
  }
  renameSync(making, directory)
  return directory
}

async function makeSample(directory: string, progress: Progress): Promise<Sample> {
  rmSync(directory, { recursive: true, force: true })
  progress('makes a shop')
  const shop = await startShop(directory, undefined)
  try {
    await fillShop(shop)
    const purchases = await makePurchases(shop, (made) => {
      if (made % 20 === 0) progress(`made ${made} purchases in it`)
    })
    return { directory, purchases }
  } finally {
    await shop.stop()
  }
}

/** What the log of the sample has: the purchases that can be copied, and what their copies go on from. */
interface Learned {
  readonly originals: readonly Original[]
  readonly members: readonly string[]
  readonly revisions: Map<string, number>
  readonly events: number
}

async function learn(
  store: EventStore,
  open: PersonalData['open'],
  purchases: readonly PurchaseParts[],
): Promise<Learned> {
  const log: RecordedEvent[] = []
  for await (const { events } of store.readAll({ after: 0 })) log.push(...events)
  const revisions = new Map(log.map(({ stream, revision }) => [stream, revision]))
  const between = ({ after, upTo }: PurchaseParts[number]) =>
    log.filter(({ position }) => position > after && position <= upTo)
  return {
    originals: await Promise.all(purchases.map((parts) => originalOf(parts.map(between), open))),
    members: log.flatMap(({ stream, type }) => (type === 'CustomerRegistered' ? [idOf(stream)] : [])),
    revisions,
    events: log.length,
  }
}

/** Copies in the shares of their kinds, in an order that looks random. */
async function* copies(
  { originals, members }: Learned,
  seal: PersonalData['seal'],
  count: number,
): AsyncGenerator<Copy> {
  const { next, between } = random(3_000)
  for (let left = count; left > 0; left -= originals.length) {
    const shuffled = originals
      .map((original) => ({ original, key: next() }))
      .sort((one, other) => one.key - other.key)
      .slice(0, left)
    const person = ({ isMember }: Original) => (isMember ? members[between(0, members.length - 1)] : undefined)
    yield* await Promise.all(
      shuffled.map(({ original }) => copyOf(original, { person: person(original) ?? randomUUID(), seal })),
    )
  }
}

/** A part of a copy that is being written. */
interface Writing {
  readonly copy: Copy
  readonly part: number
  readonly appends: readonly CopiedAppend[]
  next: number
}

/** Fills a log up with copies of purchases until it has so many events. */
async function fill(
  store: EventStore,
  { open, seal }: PersonalData,
  purchases: readonly PurchaseParts[],
  events: number,
  progress: Progress,
): Promise<void> {
  const learned = await learn(store, open, purchases)
  const eventsEach = learned.originals.reduce((sum, original) => sum + original.events, 0) / learned.originals.length
  const count = Math.max(0, Math.ceil((events - learned.events) / eventsEach))
  const { append, finish } = appender(store, learned, events, progress)
  const lag = Math.min(partsLag, Math.ceil(count / 20))
  const from = Date.now() - spanMs
  /** Parts that follow, by the number of the purchase that they wait for. */
  const later = new Map<number, Writing[]>()
  const underWay: Writing[] = []
  let place = 0

  const timeOf = (number: number) => from + (number * spanMs) / (count + 10 * lag + 1)

  function begin(copy: Copy, part: number, number: number): void {
    underWay.push({ copy, part, appends: copy.part(part, timeOf(number)), next: 0 })
  }

  /** Writes something of those that are under way, in turns, until there are so many. */
  async function writeUntil(left: number, number: number): Promise<void> {
    while (underWay.length > left) {
      place = (place + 1) % underWay.length
      const writing = underWay[place]
      const next = writing?.appends[writing.next++]
      if (next) await append(next)
      if (!writing || writing.next < writing.appends.length) continue
      underWay.splice(place, 1)
      const { copy, part } = writing
      if (part + 1 < copy.parts)
        later.set(number + lag, [...(later.get(number + lag) ?? []), { ...writing, part: part + 1 }])
    }
  }

  async function turn(number: number): Promise<void> {
    for (const { copy, part } of later.get(number) ?? []) begin(copy, part, number)
    later.delete(number)
    await writeUntil(atOnce, number)
  }

  let number = 0
  for await (const copy of copies(learned, seal, count)) {
    begin(copy, 0, number)
    await turn(number++)
  }
  for (; underWay.length > 0 || later.size > 0; number++) {
    await turn(number)
    if (later.size === 0) await writeUntil(0, number)
  }
  await finish()
}

/** Appends in order, many at a time, each at its stream's revision. */
function appender(store: EventStore, { revisions, events }: Learned, total: number, progress: Progress) {
  let written = events
  let unwritten = 0
  let shown = 0
  let underWay: Promise<unknown>[] = []
  let before: Promise<unknown> = Promise.resolve()

  async function flush(): Promise<void> {
    const group = Promise.all(underWay)
    underWay = []
    unwritten = 0
    await before
    before = group
  }

  return {
    async append({ stream, events }: CopiedAppend): Promise<void> {
      const revision = revisions.get(stream) ?? noStream
      revisions.set(stream, revision + events.length)
      underWay.push(store.append(stream, revision, events))
      written += events.length
      unwritten += events.length
      if (unwritten >= maxUnwritten) await flush()
      if (written - shown < progressEvery) return
      shown = written
      progress(`wrote ${written.toLocaleString('en-GB')} of ${total.toLocaleString('en-GB')} events`)
    },

    /** Waits for what is under way. What follows from it all has happened: process managers begin behind it. */
    async finish(): Promise<void> {
      await flush()
      await before
      const head = await store.head()
      for (const { name } of forReading([]).processes) await store.saveCheckpoint(name, head)
    },
  }
}
