import { setTimeout as sleep } from 'node:timers/promises'
import { cart } from '../src/domain/cart.ts'
import { stockItem } from '../src/domain/stock-item.ts'
import { systemClock } from '../src/engine/clock.ts'
import type { Command } from '../src/engine/command.ts'
import { type CommandHandler, commandHandler } from '../src/engine/command-handler.ts'
import { defaultLimits, registryOf, startEngine } from '../src/engine/engine.ts'
import { foldCache } from '../src/engine/folds.ts'
import { workerBuilder } from '../src/rebuild.ts'
import { shopForReading } from '../src/shop.ts'
import { openStorage } from '../src/storage.ts'
import { answerParent } from './child.ts'
import { EngineQuestion } from './engine-job.ts'

/** The engine on its files in a process of its own, without HTTP: commands go straight to the handler. */

interface Open {
  readonly handler: CommandHandler
  close(): Promise<void>
}

const hotSku = 'HOT-1'
const turnoverAtOnce = 500
let opened: Open | undefined

async function open(directory: string, readModels: boolean): Promise<Open> {
  const storage = await openStorage({ DAYBOOK_DATA_DIR: directory }, systemClock, fail)
  if (readModels) {
    const { handler, projections, stop } = await startEngine(shopForReading, storage, {
      limits: defaultLimits,
      builder: workerBuilder({ DAYBOOK_DATA_DIR: directory }),
      works: false,
      onFailure: fail,
    })
    while (projections.status().some(({ status, lag }) => status !== 'live' || lag > 0)) await sleep(10)
    return { handler, close: () => stop().then(storage.close) }
  }
  const { cachedStreams, maxWaiting, answerTimeoutMs } = defaultLimits
  const { store, readStore, clock } = storage
  const folds = foldCache(store, readStore, registryOf(shopForReading), cachedStreams)
  return { handler: commandHandler({ store, folds, clock, maxWaiting, answerTimeoutMs }), close: storage.close }
}

function fail(error: unknown): void {
  throw error
}

function handlerOf(open: Open | undefined): CommandHandler {
  if (open === undefined) throw new Error('Open a directory first')
  return open.handler
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

/** As the API makes a guest's command. */
function openCart(): Command {
  const customerId = crypto.randomUUID()
  return {
    decider: cart,
    target: crypto.randomUUID(),
    type: 'OpenCart',
    data: { customerId, buyer: 'guest', currency: 'EUR', language: 'en' },
    id: crypto.randomUUID(),
    hash: 'WkCU5pv-gyS7QVWOJpAdj2rTq9ev2t4zI4cbRvWU-7Y',
    actor: { kind: 'guest', id: customerId },
    correlationId: crypto.randomUUID(),
  }
}

/** As the process that fulfils orders makes it. */
function ofStock(type: string, data: Command['data']): Command {
  return {
    decider: stockItem,
    target: hotSku,
    type,
    data,
    id: crypto.randomUUID(),
    actor: { kind: 'process', id: 'fulfil-order' },
    correlationId: crypto.randomUUID(),
    causationId: crypto.randomUUID(),
  }
}

function reserve(number: number | string): Command {
  const requestedAt = new Date().toISOString()
  return ofStock('ReserveStock', { reservationId: `reservation-${number}`, quantity: 1, requestedAt })
}

answerParent(
  async (question) => {
    const asked = EngineQuestion.parse(question)
    if (asked.kind === 'open') {
      opened = await open(asked.directory, asked.readModels)
      return
    }
    const { handle, fold } = handlerOf(opened)
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
    }
  },
  async () => opened?.close(),
)
