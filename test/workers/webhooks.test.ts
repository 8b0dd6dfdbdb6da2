import { describe, expect, onTestFinished, test } from 'vitest'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { stockItem, stockItemEvents } from '../../src/domain/stock-item.ts'
import { retryDelaysMs, webhookDelivery } from '../../src/domain/webhook-delivery.ts'
import { webhookReceiver } from '../../src/domain/webhook-receiver.ts'
import { webhooks, webhooksId } from '../../src/domain/webhooks.ts'
import { type Ask, ask } from '../../src/engine/command.ts'
import { buildHere, type Definitions, defaultLimits, startEngine } from '../../src/engine/engine.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore, RecordedEvent } from '../../src/engine/event-store.ts'
import { job } from '../../src/engine/job.ts'
import { idOf } from '../../src/engine/streams.ts'
import { deliverWebhook } from '../../src/workers/deliver-webhook.ts'
import { deliverableEvents, requestWebhookDeliveries } from '../../src/workers/request-webhook-deliveries.ts'
import type { WebhookAnswer, WebhookCall } from '../../src/workers/webhook-gateway.ts'
import { manualClock, settled } from '../manual-clock.ts'

/** The webhooks of a shop that has nothing but stock, on memory adapters and a clock that is moved by hand. */

const aggregates = [stockItem, webhooks, webhookReceiver, webhookDelivery]
const deliverable = deliverableEvents(aggregates)
const dayMs = 86_400_000
const ok: WebhookAnswer = { kind: 'answered', status: 200, retryAfterMs: 0 }
const byText = (one: string, other: string) => (one < other ? -1 : 1)
const unwell: WebhookAnswer = { kind: 'answered', status: 500, retryAfterMs: 0 }

/** Each command is another, also of a shop that goes on with the log of one before. */
let sent = 0

interface Given {
  readonly log?: EventStore
  readonly store?: (store: EventStore) => EventStore
  readonly more?: Partial<Pick<Definitions, 'jobs'>>
}

async function start({ log = memoryEventStore(), store = (each) => each, more = {} }: Given = {}) {
  const clock = manualClock(Date.UTC(2026, 0, 15))
  const vault = memoryKeyVault()
  const used = store(log)
  const calls: WebhookCall[] = []
  const receivers = new Map<string, () => Promise<WebhookAnswer> | WebhookAnswer>()
  const gateway = {
    allowsPrivate: false,
    async send(call: WebhookCall): Promise<WebhookAnswer> {
      calls.push(call)
      return (await receivers.get(call.url)?.()) ?? ok
    },
  }
  const delivering = deliverWebhook(deliverable, {
    gateway,
    store: used,
    vault,
    tokenOf: String,
    disableAfterMs: 5 * dayMs,
    clock,
  })
  const definitions: Definitions = {
    aggregates,
    projections: [],
    processes: [requestWebhookDeliveries(deliverable)],
    jobs: [delivering, ...(more.jobs ?? [])],
  }
  const ports = { store: used, readStore: memoryReadStore(), queue: memoryJobQueue({ clock }), vault, clock }
  const failures: unknown[] = []
  const engine = await startEngine(definitions, ports, {
    limits: { ...defaultLimits, answerTimeoutMs: 30 * dayMs },
    builder: buildHere(definitions, ports),
    works: true,
    onFailure: (error) => failures.push(error),
  })
  onTestFinished(() => engine.stop())
  async function send(asked: Ask): Promise<void> {
    const actor = { kind: 'staff', id: 'staff-1' } as const
    await engine.handler.handle({ ...asked, actor, correlationId: 'test', id: `command-${sent++}` })
  }
  const subscribe = (webhookId: string, ...eventTypes: string[]) =>
    send(
      ask(webhooks, webhooksId, 'CreateWebhook', {
        webhookId,
        title: webhookId,
        url: `https://${webhookId}.example/`,
        eventTypes,
      }),
    )
  const receive = (sku: string, reference = `DN-${sent}`) =>
    send(ask(stockItem, sku, 'ReceiveStock', { quantity: 1, reference }))

  async function events(...types: string[]): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = []
    for await (const batch of log.readAll({ after: 0, filter: { types: new Set(types) } })) found.push(...batch.events)
    return found
  }
  return {
    engine,
    log,
    clock,
    calls,
    failures,
    send,
    subscribe,
    receive,
    events,
    /** What the receiver of a webhook answers from now on. */
    answer(webhookId: string, answer: () => Promise<WebhookAnswer> | WebhookAnswer) {
      receivers.set(`https://${webhookId}.example/`, answer)
    },
    /** Lets time pass in small steps, so that each try is made and recorded in its time. */
    async pass(ms: number) {
      for (let passed = 0; passed < ms; passed += 900_000) {
        await clock.advance(900_000)
        for (let turns = 0; turns < 20; turns++) await settled()
      }
    },
    webhook: async (webhookId: string) => (await engine.handler.fold(webhooks, webhooksId)).state.byId.get(webhookId),
    /** Waits until so many events of a type are in the log. */
    async until(type: string, count: number): Promise<readonly RecordedEvent[]> {
      await expect.poll(async () => (await events(type)).length, { timeout: 10_000 }).toBe(count)
      return await events(type)
    },
  }
}

describe('a delivery', () => {
  test('is asked for by each event that a webhook wants, from its creation until it is disabled', async () => {
    const { receive, subscribe, send, until, calls } = await start()
    await receive('before')
    await subscribe('erp', 'StockReceived')
    await subscribe('crm', 'StockReceived', 'StockAdjusted')
    await receive('during')
    await until('WebhookDelivered', 2)
    await send(ask(webhooks, webhooksId, 'DisableWebhook', { webhookId: 'erp' }))
    await receive('after')
    await send(ask(stockItem, 'after', 'AdjustStock', { change: -1, reference: 'A-1', reason: 'Broken' }))
    await until('WebhookDelivered', 4)
    const streams = calls.map(({ url, body }) => `${url} ${JSON.parse(body).type} ${JSON.parse(body).event.subject}`)
    expect(streams.toSorted(byText)).toEqual([
      'https://crm.example/ StockAdjusted after',
      'https://crm.example/ StockReceived after',
      'https://crm.example/ StockReceived during',
      'https://erp.example/ StockReceived during',
    ])
  })

  test('is asked for in time and late alike: who was subscribed when it happened is told', async () => {
    const first = await start()
    await first.subscribe('erp', 'StockReceived')
    await first.engine.stop()
    // Nothing reacts while these are appended.
    const asleep = await start({ log: first.log })
    await asleep.engine.stop()
    const { engine } = await start({ log: first.log, store: deaf })
    const person = { actor: { kind: 'staff', id: 's' }, correlationId: 'test' } as const
    const command = async (asked: Ask, id: string) => void (await engine.handler.handle({ ...asked, ...person, id }))
    const received = (sku: string) => ask(stockItem, sku, 'ReceiveStock', { quantity: 1, reference: sku })
    await command(received('one'), 'c1')
    const other = { webhookId: 'crm', title: 'CRM', url: 'https://crm.example/', eventTypes: ['StockReceived'] }
    await command(ask(webhooks, webhooksId, 'CreateWebhook', other), 'c2')
    await command(received('two'), 'c3')
    await command(ask(webhooks, webhooksId, 'DeleteWebhook', { webhookId: 'crm' }), 'c4')
    await command(received('three'), 'c5')
    await engine.stop()

    const late = await start({ log: first.log })
    const requested = await late.until('WebhookDeliveryRequested', 4)
    const asked = requested.map(({ data: { webhookId, message } }) => `${webhookId} ${streamOf(message)}`)
    expect(asked.toSorted(byText)).toEqual([
      'crm stockItem-two',
      'erp stockItem-one',
      'erp stockItem-three',
      'erp stockItem-two',
    ])
    await late.until('WebhookDelivered', 3)
    const [failed] = await late.until('WebhookDeliveryFailed', 1)
    expect(failed?.data.code).toBe('webhook-deleted')
  })

  test('is not asked for by what was imported', async () => {
    const { engine, subscribe, receive, until, calls } = await start()
    await subscribe('erp', 'StockReceived')
    await engine.handler.handle({
      ...ask(stockItem, 'old', 'ReceiveStock', { quantity: 1, reference: 'DN-0' }),
      actor: { kind: 'staff', id: 's' },
      correlationId: 'test',
      id: 'imported',
      imported: true,
      occurredAt: '2010-12-01T00:00:00.000Z',
    })
    await receive('new')
    await until('WebhookDelivered', 1)
    expect(calls.map(({ body }) => JSON.parse(body).event.subject)).toEqual(['new'])
  })

  test('is tried again on the schedule, each time under the same id', async () => {
    const { subscribe, receive, until, answer, calls, clock } = await start()
    answer('erp', () => unwell)
    await subscribe('erp', 'StockReceived')
    await receive('teapot')
    for (const [number, delayMs] of retryDelaysMs.entries()) {
      if (number === 3) break
      await until('WebhookAttemptFailed', number + 1)
      await clock.advance(delayMs - 1_000)
      expect(calls).toHaveLength(number + 1)
      await clock.advance(1_000)
      await expect.poll(() => calls.length).toBe(number + 2)
    }
    answer('erp', () => ok)
    await until('WebhookAttemptFailed', 4)
    await clock.advance(7_200_000)
    await until('WebhookDelivered', 1)
    expect(new Set(calls.map(({ messageId }) => messageId)).size).toBe(1)
  })

  test('is made again after a crash between the call and its record, under the same id', async () => {
    const log = memoryEventStore()
    let isDying = false
    const first = await start({
      log,
      store: (store) => ({
        ...store,
        append: async (stream, ...rest) => {
          if (isDying) throw new UnavailableError('log-closed', 'The process died')
          return await store.append(stream, ...rest)
        },
      }),
    })
    first.answer('erp', () => {
      isDying = true
      return ok
    })
    await first.subscribe('erp', 'StockReceived')
    await first.receive('teapot')
    await expect.poll(() => first.calls.length).toBe(1)
    await first.engine.stop()
    expect(await first.events('WebhookDelivered')).toEqual([])
    const second = await start({ log })
    await second.until('WebhookDelivered', 1)
    expect(second.calls.map(({ messageId }) => messageId)).toEqual(first.calls.map(({ messageId }) => messageId))
  })
})

describe('a webhook', () => {
  test('is disabled when nothing has arrived for as long as is set, and only then', async () => {
    const { subscribe, receive, send, until, answer, pass, webhook, events } = await start()
    answer('erp', () => ({ kind: 'unanswered', code: 'econnrefused' }))
    await subscribe('erp', 'StockReceived')
    await receive('a')
    await until('WebhookReceiverFailing', 1)
    await pass(4 * dayMs)
    await until('WebhookDeliveryFailed', 1)
    expect((await webhook('erp'))?.isActive).toBe(true)

    answer('erp', () => ok)
    await receive('b')
    await until('WebhookReceiverRecovered', 1)
    answer('erp', () => unwell)
    await receive('c')
    await until('WebhookReceiverFailing', 2)
    await pass(4 * dayMs)
    await receive('d')
    await pass(2 * dayMs)
    const [disabled] = await until('WebhookDisabled', 1)
    expect(disabled?.data).toMatchObject({ webhookId: 'erp', cause: 'failing' })
    expect(disabled?.data.reason).toMatch(/^Nothing has arrived since 2026-01-19T.* the last failure was status-500\.$/)

    // What waits is given up, and who enables it again gets as long as before.
    await pass(5 * dayMs)
    await expect
      .poll(async () => (await events('WebhookDeliveryFailed')).map(({ data }) => data.code))
      .toContain('webhook-disabled')
    await send(ask(webhooks, webhooksId, 'EnableWebhook', { webhookId: 'erp' }))
    await receive('e')
    await expect.poll(async () => (await events('WebhookAttemptFailed')).at(-1)?.data.attempt).toBe(1)
    expect((await webhook('erp'))?.isActive).toBe(true)
  })

  test('whose receiver hangs holds up no other webhook, and no other work', async () => {
    const remind = job({
      name: 'remind',
      of: stockItem,
      from: [stockItemEvents],
      opens: {
        StockReceived: ({ stream, metadata }) => ({ target: idOf(stream), key: '', dueAt: metadata.recordedAt }),
      },
      settles: {},
      isOpen: () => true,
      run: async (_state, { target }) => {
        reminded.add(target)
        return []
      },
    })
    const reminded = new Set<string>()
    const { subscribe, receive, until, answer, calls, clock } = await start({ more: { jobs: [remind] } })
    const hanging = Promise.withResolvers<WebhookAnswer>()
    answer('slow', () => hanging.promise)
    await subscribe('slow', 'StockReceived')
    await subscribe('fast', 'StockReceived')
    const skus = Array.from({ length: 50 }, (_, number) => `sku-${number}`)
    await Promise.all(skus.map((sku) => receive(sku, sku)))
    const called = (name: string) => calls.filter(({ url }) => url.includes(name)).length
    // More than there is room for at once: those of the fast one wait a moment, and only for each other.
    await expect
      .poll(async () => {
        await clock.advance(1_000)
        return called('fast')
      })
      .toBe(50)
    expect(called('slow')).toBe(8)
    expect(reminded.size).toBe(50)
    await until('WebhookDelivered', 50)
    hanging.resolve(ok)
    await expect
      .poll(async () => {
        await clock.advance(10_000)
        return called('slow')
      })
      .toBe(50)
    await until('WebhookDelivered', 100)
  })
})

/** A store whose log nobody can follow. */
function deaf(store: EventStore): EventStore {
  return {
    ...store,
    async *subscribe({ signal }) {
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    },
  }
}

function streamOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null && 'stream' in message ? message.stream : undefined
}
