import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { gatewayCallback } from '../../src/domain/gateway-callback.ts'
import { order } from '../../src/domain/order/order.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import { stockItem } from '../../src/domain/stock-item.ts'
import type { Ask, Command } from '../../src/engine/command.ts'
import { commandHandler } from '../../src/engine/command-handler.ts'
import { Rejection } from '../../src/engine/errors.ts'
import { eventRegistry, type Recorded } from '../../src/engine/events.ts'
import { foldCache } from '../../src/engine/folds.ts'
import { type JobDefinition, jobId, type Work } from '../../src/engine/job.ts'
import type { ProcessManager } from '../../src/engine/process-manager.ts'
import { derivedId } from '../../src/engine/streams.ts'
import { authorisePayment } from '../../src/workers/authorise-payment.ts'
import { cancelPayment } from '../../src/workers/cancel-payment.ts'
import { capturePayment } from '../../src/workers/capture-payment.ts'
import { expireOrder } from '../../src/workers/expire-order.ts'
import { fulfilOrder } from '../../src/workers/fulfil-order.ts'
import type { GatewayNotice } from '../../src/workers/payment-gateway.ts'
import { refundPayment } from '../../src/workers/refund-payment.ts'
import { settlePayment } from '../../src/workers/settle-payment.ts'
import { manualClock } from '../manual-clock.ts'
import { GatewayTrouble, type SimulatedGateway } from './simulated-gateway.ts'

/**
 * The processes and jobs of a shop, taken step by step in any order: between an event and the reaction to it, between
 * a reaction's look at the state and each of its commands, and between a call and the record of its answer, anything
 * else may happen.
 */
export interface Simulation {
  /** The choices that there are now; each does one step. */
  choices(): Promise<readonly Choice[]>
  /** Sends a command of a person; a rejection is an answer. */
  send(ask: Ask): Promise<void>
  /** The gateway calls back, perhaps once more. */
  callBack(notice: GatewayNotice): Promise<void>
  /** The process managers go back by so many events and one, and forget what they were about to do. */
  crash(back: number): void
  /** What processes asked for and was refused. */
  readonly deadLetters: readonly string[]
  readonly handler: ReturnType<typeof commandHandler>
}

interface Choice {
  /** Timers are steps that only the time brings about. */
  readonly isTimer: boolean
  take(): Promise<void>
}

interface Managing {
  readonly manager: ProcessManager
  /** Number of events that it has reacted to. */
  place: number
  asks: Command[]
}

interface Working {
  readonly definition: JobDefinition
  readonly work: Work
  readonly id: string
  attempt: number
  asks: Command[]
  /** It was left open: the sweep puts it back. */
  isAsleep: boolean
}

const maxAttempts = 4

export function simulate(gateway: SimulatedGateway): Simulation {
  const store = memoryEventStore('simulation')
  const registry = eventRegistry([order, payment, stockItem, gatewayCallback].map(({ events }) => events))
  const folds = foldCache(store, memoryReadStore(), registry, 100)
  const handler = commandHandler({ store, folds, clock: manualClock(), maxWaiting: 100, answerTimeoutMs: 60_000 })
  const gateways = new Map([[gateway.name, gateway]])
  const managing: Managing[] = [fulfilOrder, settlePayment].map((manager) => ({ manager, place: 0, asks: [] }))
  const jobs = [
    authorisePayment(gateways, async (_schema, documents) => documents),
    capturePayment(gateways),
    cancelPayment(gateways),
    refundPayment(gateways),
    expireOrder,
  ]
  const working = new Map<string, Working>()
  const deadLetters: string[] = []
  const log: Recorded[] = []
  let sent = 0

  /** Reads what is new, and lets it open and settle work as the job worker does. */
  async function readLog(): Promise<void> {
    for await (const { events } of store.readAll({ after: log.at(-1)?.position ?? 0 })) {
      for (const event of events) {
        log.push(event)
        for (const definition of jobs) {
          const opened = definition.opens(event)
          const id = opened && jobId(definition.name, opened)
          if (id && !working.has(id))
            working.set(id, { definition, work: opened, id, attempt: 1, asks: [], isAsleep: false })
          const settled = definition.settles(event)
          const known = settled && working.get(jobId(definition.name, settled))
          // What it is about to record it still records.
          if (known && known.asks.length === 0) working.delete(known.id)
        }
      }
    }
  }

  async function handle(command: Command, where: string): Promise<boolean> {
    try {
      await handler.handle(command)
      return true
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      deadLetters.push(`${where}: ${command.type} ${error.code}`)
      return false
    }
  }

  async function reactOnce(managed: Managing): Promise<void> {
    const { manager } = managed
    const [next, ...rest] = managed.asks
    if (next !== undefined) {
      const isDone = await handle(next, manager.name)
      managed.asks = isDone ? rest : []
      return
    }
    const event = log[managed.place++]
    const id = event && manager.types.has(event.type) ? manager.route(event) : undefined
    if (event === undefined || id === undefined) return
    const { state } = await handler.fold(manager.decider, id)
    managed.asks = manager.react(event, state).map((asked, step) => ({
      ...asked,
      actor: { kind: 'process', id: manager.name },
      correlationId: event.metadata.correlationId,
      causationId: event.id,
      id: derivedId(event.id, manager.name, step),
    }))
  }

  async function workOnce(job: Working): Promise<void> {
    const { definition, work, id } = job
    const [next, ...rest] = job.asks
    if (next !== undefined) {
      await handle(next, definition.name)
      job.asks = rest
      return
    }
    const { state } = await handler.fold(definition.decider, work.target)
    if (!definition.isOpen(state, work)) return
    const last = job.attempt >= maxAttempts
    try {
      const asks = await definition.run(state, { ...work, jobId: id, attempt: job.attempt, last })
      job.attempt = 1
      job.isAsleep = asks.length === 0
      job.asks = asks.map((asked, step) => ({
        ...asked,
        actor: { kind: 'process', id: definition.name },
        correlationId: id,
        id: derivedId(id, work.dueAt, asked.type, step),
      }))
    } catch (error) {
      // What was set aside because the gateway was down an operator retries when it is up.
      if (last && !(error instanceof GatewayTrouble)) deadLetters.push(`${definition.name}: ${String(error)}`)
      job.attempt = last ? 1 : job.attempt + 1
    }
  }

  return {
    handler,
    deadLetters,

    async choices() {
      await readLog()
      const reactions = managing
        .filter(({ asks, place }) => asks.length > 0 || place < log.length)
        .map((managed) => ({ isTimer: false, take: () => reactOnce(managed) }))
      const open: Choice[] = []
      for (const job of working.values()) {
        const { state } = await handler.fold(job.definition.decider, job.work.target)
        if (job.asks.length === 0 && !job.definition.isOpen(state, job.work)) continue
        open.push({ isTimer: job.isAsleep || job.definition === expireOrder, take: () => workOnce(job) })
      }
      return [...reactions, ...open]
    },

    async send(asked) {
      const actor = { kind: 'staff', id: 'staff-1' } as const
      try {
        await handler.handle({ ...asked, actor, correlationId: 'person', id: `person-${sent++}` })
      } catch (error) {
        if (!(error instanceof Rejection)) throw error
      }
    },

    async callBack(notice) {
      await handler.handle({
        decider: gatewayCallback,
        target: `${gateway.name}.${notice.noticeId}`,
        type: 'RecordCallback',
        data: { ...notice, gateway: gateway.name },
        id: `callback-${sent++}`,
        actor: { kind: 'system', id: gateway.name },
        correlationId: 'callback',
      })
    },

    crash(back) {
      for (const managed of managing) {
        managed.place = Math.max(0, managed.place - back - 1)
        managed.asks = []
      }
    },
  }
}
