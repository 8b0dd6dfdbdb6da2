import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { type Random, random } from '../../src/cli/random.ts'
import { gatewayCallback } from '../../src/domain/gateway-callback.ts'
import { order } from '../../src/domain/order/order.ts'
import { stockItem } from '../../src/domain/stock-item.ts'
import { pause } from '../../src/engine/clock.ts'
import type { Answer, Ask } from '../../src/engine/command.ts'
import { buildHere, defaultLimits, type Engine, projectionsOf, startEngine } from '../../src/engine/engine.ts'
import { PreconditionError, Rejection, UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import type { Projection } from '../../src/engine/projection.ts'
import type { ReadStore } from '../../src/engine/read-store.ts'
import { shop } from '../../src/shop.ts'
import { manualClock } from '../manual-clock.ts'
import { placement } from '../projections/order-events.ts'
import { type Manner, type SimulatedGateway, simulatedGateway } from '../workers/simulated-gateway.ts'
import { die, type Faults, faultyPorts, type MortalProcess } from './faults.ts'

/** A whole shop on memory adapters, with people, a gateway, and all the bad luck that a seed holds. */

export interface Acknowledged {
  readonly commandId: string
  readonly answer: Answer
}

export interface Outcome {
  readonly store: EventStore
  readonly engine: Engine
  readonly gateway: SimulatedGateway
  readonly projections: readonly Projection[]
  readonly orderIds: readonly string[]
  readonly received: Readonly<Record<string, number>>
  readonly acknowledged: readonly Acknowledged[]
  /** How often a process died. */
  readonly deaths: number
}

const { number: _, placedAt: _placed, ...contents } = { ...placement(), email: null, shippingAddress: null }
const startsAt = Date.parse('2026-01-15T09:30:00.000Z')
/** An index beside those of a projection, by which every document can be seen. */
export const everyDocument = 'every document'

function withEveryDocument(projection: Projection): Projection {
  const collections = projection.collections.map((each) => ({
    ...each,
    indexes: { ...each.indexes, [everyDocument]: [] },
  }))
  return { ...projection, collections }
}

/** What people wish for, each at its time. */
function wishesOf(seeded: Random, orderIds: readonly string[]) {
  return orderIds.flatMap((target) => {
    const ask = (atMs: number, type: string, data: Ask['data']) => ({
      atMs,
      ask: { decider: order, target, type, data },
    })
    const lines = () => [{ lineId: seeded.pick(['TEAPOT-BLUE', 'CUP-RED']), quantity: seeded.between(1, 2) }]
    const any = () => seeded.between(0, 2_400_000)
    const some = <T>(most: number, make: (number: number) => T): T[] =>
      Array.from({ length: seeded.between(0, most) }, (_each, number) => make(number))
    const paying = (number: number) => ({
      paymentId: `${target}-payment-${number}`,
      gateway: 'sandbox',
      token: 'tok_4242',
    })
    return [
      ask(seeded.between(0, 60_000), 'PlaceOrder', { ...contents, cartId: target }),
      ask(seeded.between(0, 120_000), 'PayOrder', paying(0)),
      ...some(2, (number) => ask(any(), 'PayOrder', paying(number))),
      ...some(1, () => ask(any(), 'CancelOrder', { reason: 'Changed their mind' })),
      ...some(4, (number) => ask(any(), 'ShipOrder', { shipmentId: `s-${number}`, lines: lines() })),
      ...some(2, (number) => ask(any(), 'DeliverShipment', { shipmentId: `s-${number}` })),
      ...some(3, (number) => {
        const refund = { refundId: `${target}-r-${number}`, lines: lines(), shipping: seeded.next() < 0.5 }
        return ask(any(), 'RefundOrder', { ...refund, reason: 'Broken spout' })
      }),
    ]
  })
}

/**
 * Lets a shop live through half an hour and more.
 * @param seed decides everything: the same seed, the same life
 */
export async function live(seed: number): Promise<Outcome> {
  const seeded = random(seed)
  const faults: Faults = { areOn: true, random: seeded }
  const clock = manualClock(startsAt)
  const log = memoryEventStore('simulation')
  const readModels = memoryReadStore()
  const vault = memoryKeyVault()
  const manner = () => seeded.pick<Manner>(['succeeds', 'succeeds', 'pending', 'refused'])
  const gateway = simulatedGateway({
    authorise: manner(),
    capture: manner(),
    cancelsWaiting: seeded.next() < 0.5,
    trouble: () =>
      faults.areOn ? seeded.pick(['none', 'none', 'none', 'none', 'unreachable', 'answer-lost'] as const) : 'none',
  })
  const parts = shop({
    gateways: [gateway],
    vault,
    credentials: memoryCredentialStore(),
    open: async (_schema, found) => found,
    webhooks: {
      gateway: { allowsPrivate: false, send: async () => ({ kind: 'unanswered', code: 'not-simulated' }) },
      store: log,
      vault,
      tokenOf: String,
      disableAfterMs: 432_000_000,
      clock,
    },
    paymentWindowMs: 1_800_000,
  })
  const definitions = { ...parts, projections: parts.projections.map(withEveryDocument) }
  const hasRival = seeded.next() < 0.5
  let deaths = 0

  /** A process that runs until it dies, and another one in its place. */
  function startProcess(works: boolean, readStore: ReadStore): { engine?: Engine; life?: MortalProcess } {
    const running: { engine?: Engine; life?: MortalProcess } = {}

    async function start(life: MortalProcess): Promise<void> {
      const faulty = faultyPorts(faults, life, clock)
      const ports = {
        store: faulty.faultyStore(log, !hasRival),
        readStore: faulty.faultyReadStore(readStore),
        queue: faulty.faultyQueue(memoryJobQueue({ clock: faulty.clock, random: seeded.next })),
        vault,
        clock: faulty.clock,
        random: seeded.next,
      }
      const limits = { ...defaultLimits, cachedStreams: seeded.between(1, 50), retirementMs: 1_000 }
      const options = { limits, builder: buildHere(definitions, ports), works, onFailure: () => {} }
      const engine = await startEngine(definitions, ports, options)
      if (life.isAlive) running.engine = engine
    }

    function begin(): void {
      const life: MortalProcess = {
        isAlive: true,
        onDeath() {
          deaths++
          delete running.engine
          clock.after(seeded.between(100, 5_000), begin)
        },
      }
      running.life = life
      start(life).catch((error: unknown) => {
        if (!(error instanceof UnavailableError)) throw error
        die(life)
      })
    }

    begin()
    return running
  }

  const main = startProcess(true, readModels)
  const rival = hasRival ? startProcess(false, memoryReadStore()) : main

  const acknowledged: Acknowledged[] = []
  let sent = 0

  /** Sends a command, and sends it again, until it is answered. */
  async function insist(asked: Ask, commandId: string, kind: 'staff' | 'system' = 'staff'): Promise<void> {
    const command = { ...asked, id: commandId, actor: { kind, id: 'somebody' }, correlationId: 'simulation' } as const
    for (;;) {
      const { engine } = seeded.next() < 0.5 ? rival : main
      try {
        if (engine === undefined) throw new UnavailableError('not-started', 'Nobody answers there now.')
        const timeIsUp = pause(clock, 15_000)
        const answer = await Promise.race([engine.handler.handle(command), timeIsUp])
        if (answer !== undefined) {
          acknowledged.push({ commandId, answer })
          if (!faults.areOn || seeded.next() > 0.1) return
        }
      } catch (error) {
        if (error instanceof Rejection || error instanceof PreconditionError) return
        if (!(error instanceof UnavailableError)) throw error
        await pause(clock, seeded.between(10, 1_000))
      }
    }
  }

  const insisting = new Set<Promise<void>>()
  function send(asked: Ask, commandId = `person-${sent++}`, kind?: 'system'): void {
    const done = insist(asked, commandId, kind).finally(() => insisting.delete(done))
    insisting.add(done)
  }

  /** The gateway calls back, perhaps not for the first time. */
  function callBack(place: number): void {
    const notice = gateway.notices[place]
    if (notice === undefined) return
    const target = `sandbox.${notice.noticeId}`
    const data = { ...notice, gateway: 'sandbox' }
    send({ decider: gatewayCallback, target, type: 'RecordCallback', data }, `callback-${notice.noticeId}`, 'system')
  }

  const received = { 'TEAPOT-BLUE': seeded.between(1, 8), 'CUP-RED': seeded.between(1, 4) }
  for (const [target, quantity] of Object.entries(received)) {
    send({ decider: stockItem, target, type: 'ReceiveStock', data: { quantity, reference: 'DN-1' } })
  }
  const orderIds = Array.from({ length: seeded.between(1, 4) }, (_each, number) => `order-${number}`)
  for (const { atMs, ask } of wishesOf(seeded, orderIds)) clock.after(atMs, () => send(ask))

  const names = projectionsOf(definitions).map(({ name }) => name)
  for (const endsAt = startsAt + 2_500_000; clock.now() < endsAt; ) {
    await clock.advance(seeded.between(1, 30_000))
    const luck = seeded.next()
    if (luck < 0.02 && main.life) die(main.life)
    else if (luck < 0.3) callBack(seeded.between(0, gateway.notices.length))
    else if (luck < 0.35) gateway.approve(seeded.next() < 0.7)
    else if (luck < 0.4) gateway.finishCaptures(seeded.next() < 0.7)
    else if (luck < 0.45) {
      const name = names[seeded.between(0, names.length - 1)] ?? ''
      // It may fail, or die with its process.
      main.engine?.projections.rebuild(name).catch(() => undefined)
    }
  }

  // In the end nothing fails any more, the gateway has said all it has to say, and the time goes on.
  faults.areOn = false
  let told = 0
  for (let quietRounds = 0, last = -1; quietRounds < 5; ) {
    await clock.advance(700_000)
    gateway.approve(true)
    gateway.finishCaptures(true)
    while (told < gateway.notices.length) callBack(told++)
    const { position } = await log.head()
    quietRounds = position === last && insisting.size === 0 && told === gateway.notices.length ? quietRounds + 1 : 0
    last = position
    if (clock.now() > startsAt + 10 ** 9) throw new Error('The shop never comes to rest')
  }
  const { engine } = main
  if (engine === undefined) throw new Error('The process does not come back')
  return {
    store: log,
    engine,
    gateway,
    projections: projectionsOf(definitions),
    orderIds,
    received,
    acknowledged,
    deaths,
  }
}
