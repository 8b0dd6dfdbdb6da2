import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { stockItem } from '../src/domain/stock-item.ts'
import { systemClock } from '../src/engine/clock.ts'
import type { Command } from '../src/engine/command.ts'
import { type CommandHandler, commandHandler } from '../src/engine/command-handler.ts'
import { defaultLimits, registryOf, startEngine } from '../src/engine/engine.ts'
import { UnavailableError } from '../src/engine/errors.ts'
import type { EventStore } from '../src/engine/event-store.ts'
import { foldCache } from '../src/engine/folds.ts'
import { streamName } from '../src/engine/streams.ts'
import { workerBuilder } from '../src/rebuild.ts'
import { forReading } from '../src/shop.ts'
import { openStorage } from '../src/storage.ts'
import { answerParent } from './child.ts'
import { EngineQuestion, type Reservations, type Reserved } from './engine-job.ts'
import { latencies } from './latencies.ts'
import { openCart } from './open-cart.ts'

const presentShop = forReading([])

/** The engine on its files in a process of its own, without HTTP: commands go straight to the handler. */

type Question<Kind extends EngineQuestion['kind']> = Extract<EngineQuestion, { kind: Kind }>

interface Open {
  readonly handler: CommandHandler
  readonly store: EventStore
  close(): Promise<void>
}

const hotSku = 'HOT-1'
const turnoverAtOnce = 500
let opened: Open | undefined

async function open({ directory, readModels, eventStoreUrl }: Question<'open'>): Promise<Open> {
  const settings = {
    DAYBOOK_DATA_DIR: directory,
    ...(eventStoreUrl !== undefined && { EVENTSTOREDB_URL: eventStoreUrl }),
  }
  const storage = await openStorage(settings, systemClock, fail)
  if (readModels) {
    const { handler, projections, stop } = await startEngine(presentShop, storage, {
      limits: defaultLimits,
      builder: workerBuilder({ DAYBOOK_DATA_DIR: directory }),
      works: false,
      onFailure: fail,
    })
    while (projections.status().some(({ status, lag }) => status !== 'live' || lag > 0)) await sleep(10)
    return { handler, store: storage.store, close: () => stop().then(storage.close) }
  }
  const { cachedStreams, maxWaiting, answerTimeoutMs } = defaultLimits
  const { store, readStore, clock } = storage
  const folds = foldCache(store, readStore, registryOf(presentShop), cachedStreams)
  return { handler: commandHandler({ store, folds, clock, maxWaiting, answerTimeoutMs }), store, close: storage.close }
}

function fail(error: unknown): void {
  throw error
}

function openedOf(open: Open | undefined): Open {
  if (open === undefined) throw new Error('Open a directory first')
  return open
}

/** Runs the numbers from 0 on, so many at once. @returns how long it took in seconds */
async function timed(count: number, concurrency: number, run: (number: number) => Promise<unknown>): Promise<number> {
  const beganMs = performance.now()
  let next = 0
  async function worker(): Promise<void> {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return (performance.now() - beganMs) / 1_000
}

/** As the process that fulfils orders makes it. */
function ofStock(type: string, data: Command['data'], sku = hotSku): Command {
  return {
    decider: stockItem,
    target: sku,
    type,
    data,
    id: crypto.randomUUID(),
    actor: { kind: 'process', id: 'fulfil-order' },
    correlationId: crypto.randomUUID(),
    causationId: crypto.randomUUID(),
  }
}

function reserve(number: number | string, sku = hotSku): Command {
  const requestedAt = new Date().toISOString()
  return ofStock('ReserveStock', { reservationId: `reservation-${number}`, quantity: 1, requestedAt }, sku)
}

/** Reserves pieces as process managers do, which ask again for what could not be decided. */
async function reserveFor(
  { handle }: CommandHandler,
  { sku, prefix, concurrency, durationMs }: Question<'reserve'>,
): Promise<z.input<typeof Reserved>> {
  const answers: z.input<typeof Reserved>['answers'] = []
  const took = latencies()
  const beganMs = performance.now()
  let begun = 0
  let retries = 0

  async function once(reservationId: string): Promise<void> {
    const command = reserve(reservationId, sku)
    const sentMs = performance.now()
    for (;;) {
      try {
        const { revision } = await handle(command)
        took.add(performance.now() - sentMs)
        answers.push({ reservationId: String(command.data.reservationId), revision })
        return
      } catch (error) {
        if (!(error instanceof UnavailableError)) throw error
        retries++
      }
    }
  }

  async function worker(): Promise<void> {
    while (performance.now() - beganMs < durationMs) await once(`${prefix}-${begun++}`)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { seconds: (performance.now() - beganMs) / 1_000, answers, retries, p99Ms: took.quantile(0.99) }
}

async function readReservations(store: EventStore, sku: string): Promise<z.input<typeof Reservations>> {
  const found: z.input<typeof Reservations> = []
  for await (const events of store.readStream(streamName(stockItem.category, sku))) {
    for (const { type, data, revision } of events) {
      if (typeof data.reservationId === 'string') found.push({ type, reservationId: data.reservationId, revision })
    }
  }
  return found
}

answerParent(
  async (question) => {
    const asked = EngineQuestion.parse(question)
    if (asked.kind === 'open') {
      opened = await open(asked)
      return
    }
    const { handler, store } = openedOf(opened)
    const { handle, fold } = handler
    switch (asked.kind) {
      case 'open-carts':
        return { seconds: await timed(asked.count, asked.concurrency, () => handle(openCart())) }
      case 'sell-out': {
        const { stock, reservations, concurrency } = asked
        await handle(ofStock('ReceiveStock', { quantity: stock, reference: 'delivery-1' }))
        const seconds = await timed(reservations, concurrency, (number) => handle(reserve(number)))
        const { state, revision } = await fold(stockItem, hotSku)
        return { seconds, reserved: state.open.size, refused: revision - state.open.size }
      }
      case 'turn-over': {
        const { events, open } = asked
        await handle(ofStock('ReceiveStock', { quantity: 1_000_000, reference: 'delivery-1' }))
        const seconds = await timed(events / 2, turnoverAtOnce, async (number) => {
          await handle(reserve(number))
          const shipped = { reservationId: `reservation-${number - open}`, quantity: 1, reference: 'shipment-1' }
          if (number >= open) await handle(ofStock('CommitReservation', shipped))
        })
        return { seconds }
      }
      case 'reserve-one':
        return { seconds: await timed(1, 1, () => handle(reserve(crypto.randomUUID()))) }
      case 'receive':
        await handle(ofStock('ReceiveStock', { quantity: asked.quantity, reference: 'delivery-1' }, asked.sku))
        return
      case 'reserve':
        return await reserveFor(handler, asked)
      case 'read-reservations':
        return await readReservations(store, asked.sku)
    }
  },
  async () => opened?.close(),
)
