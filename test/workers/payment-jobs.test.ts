import { describe, expect, test } from 'vitest'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { customer, customerEvents } from '../../src/domain/customer.ts'
import { orderEvents } from '../../src/domain/order/events.ts'
import { order } from '../../src/domain/order/order.ts'
import { paymentEvents } from '../../src/domain/payment/events.ts'
import { payment } from '../../src/domain/payment/payment.ts'
import type { Payment } from '../../src/domain/payment/state.ts'
import { ask } from '../../src/engine/command.ts'
import type { DomainEvent } from '../../src/engine/events.ts'
import { type JobDefinition, jobId } from '../../src/engine/job.ts'
import { personalData } from '../../src/engine/personal-data.ts'
import { readable } from '../../src/testing/reactions.ts'
import { firstInstant, recorded } from '../../src/testing/recording.ts'
import { specification } from '../../src/testing/specification.ts'
import { authorisePayment } from '../../src/workers/authorise-payment.ts'
import { cancelPayment } from '../../src/workers/cancel-payment.ts'
import { capturePayment } from '../../src/workers/capture-payment.ts'
import { erasePerson } from '../../src/workers/erase-person.ts'
import { expireOrder } from '../../src/workers/expire-order.ts'
import { refundOfKey, refundPayment } from '../../src/workers/refund-payment.ts'
import * as words from '../domain/order/vocabulary.ts'
import { placement } from '../projections/order-events.ts'
import { type GatewayBehaviour, simulatedGateway } from './simulated-gateway.ts'

const paymentId = 'payment-1'
const orderId = 'order-1'
const money = { amount: 6_390, currency: 'EUR' }
const reference = 'pay_payment-1'
const declined = { code: 'declined', reason: 'The bank declined it' }
const unavailable = { code: 'gateway-unavailable', reason: 'The payment provider could not be reached' }

const vault = memoryKeyVault()
const personal = personalData(vault)
const { event } = specification(payment, paymentEvents)
const requestData = { orderId, customerId: 'ada', country: 'DE', gateway: 'sandbox', ...money, token: 'tok_4242' }
const sealed = await personal.seal(paymentEvents.schemas.PaymentRequested, requestData, () => 'ada')
const requested: DomainEvent = { type: 'PaymentRequested', data: sealed }
const pending = event('PaymentPending', { orderId, reference, nextAction: { kind: 'none' } })
const authorised = event('PaymentAuthorised', { orderId, reference, ...money })
const captureRequested = event('CaptureRequested', { orderId })
const captured = event('PaymentCaptured', { orderId, ...money })
const captureFailed = event('CaptureFailed', { orderId, ...declined })
const captureGivenUp = event('CaptureFailed', { orderId, ...unavailable })
const cancelRequested = event('PaymentCancelRequested', { orderId })
const refundRequested = event('RefundRequested', { orderId, refundId: 'refund-1', amount: 100, currency: 'EUR' })

function gatewayWith(behaviour: Partial<GatewayBehaviour> = {}) {
  const gateway = simulatedGateway({
    authorise: 'succeeds',
    capture: 'succeeds',
    cancelsWaiting: true,
    trouble: () => 'none',
    ...behaviour,
  })
  return { gateway, gateways: new Map([[gateway.name, gateway]]) }
}
type Fixture = ReturnType<typeof gatewayWith>

const down: Partial<GatewayBehaviour> = { trouble: () => 'unreachable' }
const stateAfter = (...events: readonly DomainEvent[]): Payment =>
  events.reduce((state, { type, data }) => payment.evolve(state, { type, data }), payment.initial)

/** What a job asks for, given what has happened to the payment; undefined if it is not open. */
async function work(definition: JobDefinition, events: readonly DomainEvent[], key = '', attempt = 1) {
  const state = stateAfter(...events)
  const open = { target: paymentId, key, dueAt: firstInstant }
  if (!definition.isOpen(state, open)) return undefined
  const last = attempt === definition.work.maxAttempts
  return readable(await definition.run(state, { ...open, jobId: jobId(definition.name, open), attempt, last }))
}

function asks(type: keyof typeof payment.commands, data: object) {
  return [{ of: 'payment', target: paymentId, type, data }]
}

async function held({ gateway }: Fixture) {
  await gateway.authorise({ paymentId, token: 'tok_4242', ...money, idempotencyKey: `authorise-payment:${paymentId}` })
}
async function taken(fixture: Fixture) {
  await held(fixture)
  await fixture.gateway.capture({ paymentId, reference, ...money, idempotencyKey: `capture-payment:${paymentId}` })
}

describe('authorising', () => {
  const authorise = ({ gateways }: Fixture) => authorisePayment(gateways, personal.open)

  test('is open from the request to the answer', () => {
    const definition = authorise(gatewayWith())
    const happened = (type: DomainEvent) => recorded(paymentEvents, paymentId, type)
    expect(definition.opens(happened(requested))).toStrictEqual({ target: paymentId, key: '', dueAt: firstInstant })
    for (const end of [pending, authorised, event('PaymentFailed', { orderId, ...declined })]) {
      expect(definition.settles(happened(end))).toStrictEqual({ target: paymentId, key: '' })
      expect(definition.isOpen(stateAfter(requested, end), { target: paymentId, key: '', dueAt: '' })).toBe(false)
    }
  })

  test('tells what the gateway says', async () => {
    expect(await work(authorise(gatewayWith()), [requested])).toStrictEqual(asks('RecordAuthorisation', { reference }))
    expect(await work(authorise(gatewayWith({ authorise: 'pending' })), [requested])).toStrictEqual(
      asks('RecordPending', { reference, nextAction: { kind: 'none' } }),
    )
    expect(await work(authorise(gatewayWith({ authorise: 'refused' })), [requested])).toStrictEqual(
      asks('RecordFailure', declined),
    )
  })

  test('gives the token to the gateway in the clear, and to nobody else', async () => {
    const tokens: string[] = []
    const { gateway } = gatewayWith()
    const listening = {
      ...gateway,
      authorise: (request: Parameters<typeof gateway.authorise>[0]) => {
        tokens.push(request.token)
        return gateway.authorise(request)
      },
    }
    await work(authorisePayment(new Map([['sandbox', listening]]), personal.open), [requested])
    expect(tokens).toStrictEqual(['tok_4242'])
    expect(sealed.token).not.toContain('4242')
  })

  test('is tried again while nobody answers, and given up in the end', async () => {
    await expect(work(authorise(gatewayWith(down)), [requested])).rejects.toThrow('unreachable')
    expect(await work(authorise(gatewayWith(down)), [requested], '', 12)).toStrictEqual(
      asks('RecordFailure', unavailable),
    )
  })

  test('needs a gateway and a token', async () => {
    const [none] = (await work(authorisePayment(new Map(), personal.open), [requested])) ?? []
    expect(none).toMatchObject({ type: 'RecordFailure', data: { code: 'gateway-unknown' } })
    const ofForgotten: DomainEvent = { type: 'PaymentRequested', data: { ...sealed, token: null } }
    const [forgotten] = (await work(authorise(gatewayWith()), [ofForgotten])) ?? []
    expect(forgotten).toMatchObject({ type: 'RecordFailure', data: { code: 'token-forgotten' } })
  })
})

describe('capturing', () => {
  const before = [requested, authorised, captureRequested]

  test('tells what the gateway says', async () => {
    const ready = gatewayWith()
    await held(ready)
    expect(await work(capturePayment(ready.gateways), before)).toStrictEqual(asks('RecordCapture', { reference }))
    const refusing = gatewayWith({ capture: 'refused' })
    await held(refusing)
    expect(await work(capturePayment(refusing.gateways), before)).toStrictEqual(asks('RecordCaptureFailure', declined))
    const waiting = gatewayWith({ capture: 'pending' })
    await held(waiting)
    expect(await work(capturePayment(waiting.gateways), before)).toStrictEqual([])
  })

  test('is given up when nobody answers to the last', async () => {
    expect(await work(capturePayment(gatewayWith(down).gateways), before, '', 12)).toStrictEqual(
      asks('RecordCaptureFailure', unavailable),
    )
  })

  test('is not begun for money that nobody wants any more', async () => {
    expect(await work(capturePayment(gatewayWith().gateways), [...before, cancelRequested])).toBeUndefined()
  })
})

describe('cancelling', () => {
  const cancelled = asks('RecordCancellation', {})

  test('lets go of what is held', async () => {
    const fixture = gatewayWith()
    await held(fixture)
    expect(await work(cancelPayment(fixture.gateways), [requested, authorised, cancelRequested])).toStrictEqual(
      cancelled,
    )
    expect(fixture.gateway.money()).toStrictEqual({ held: 0, taken: 0 })
  })

  test('waits until the gateway has named the payment', async () => {
    const { gateways } = gatewayWith()
    expect(await work(cancelPayment(gateways), [requested, cancelRequested])).toBeUndefined()
  })

  test('of what waits for the shopper is asked again once it is held', async () => {
    const fixture = gatewayWith({ authorise: 'pending', cancelsWaiting: false })
    await held(fixture)
    const job = cancelPayment(fixture.gateways)
    expect(await work(job, [requested, pending, cancelRequested])).toStrictEqual([])
    fixture.gateway.approve(true)
    expect(await work(job, [requested, pending, cancelRequested, authorised])).toStrictEqual(cancelled)
    expect(fixture.gateway.money().held).toBe(0)
  })

  test('finds out that the money was taken', async () => {
    const fixture = gatewayWith()
    await taken(fixture)
    const job = cancelPayment(fixture.gateways)
    const late = asks('RecordCapture', { reference })
    expect(await work(job, [requested, authorised, captureRequested, cancelRequested])).toStrictEqual(late)
    expect(await work(job, [requested, authorised, captureRequested, captureGivenUp, cancelRequested])).toStrictEqual(
      late,
    )
  })

  test('waits for what is being taken', async () => {
    const fixture = gatewayWith({ capture: 'pending' })
    await taken(fixture)
    const events = [requested, authorised, captureRequested, cancelRequested]
    expect(await work(cancelPayment(fixture.gateways), events)).toStrictEqual([])
    fixture.gateway.finishCaptures(false)
    expect(await work(cancelPayment(fixture.gateways), [...events, captureFailed])).toStrictEqual(cancelled)
  })

  test('takes what can neither be taken nor let go for lapsed', async () => {
    const fixture = gatewayWith({ authorise: 'refused' })
    await held(fixture)
    const events = [requested, authorised, captureRequested, captureFailed, cancelRequested]
    expect(await work(cancelPayment(fixture.gateways), events)).toStrictEqual(cancelled)
  })

  test('is a person’s task where the gateway refuses', async () => {
    const fixture = gatewayWith({ authorise: 'refused' })
    await held(fixture)
    const tried = work(cancelPayment(fixture.gateways), [requested, authorised, cancelRequested], '', 12)
    await expect(tried).rejects.toThrow('refuses to cancel')
  })
})

describe('refunding', () => {
  const before = [requested, authorised, captureRequested, captured, refundRequested]

  test('gives back what was asked for, once, and knows it in callbacks', async () => {
    const fixture = gatewayWith()
    await taken(fixture)
    const refund = refundPayment(fixture.gateways)
    expect(await work(refund, before, 'refund-1')).toStrictEqual(asks('RecordRefund', { refundId: 'refund-1' }))
    expect(await work(refund, before, 'refund-1')).toStrictEqual(asks('RecordRefund', { refundId: 'refund-1' }))
    expect(fixture.gateway.money().taken).toBe(6_290)
    const notice = fixture.gateway.notices.at(-1)
    expect(notice?.kind).toBe('refunded')
    expect(refundOfKey(paymentId, stateAfter(...before), notice?.refundId ?? '')).toBe('refund-1')
    expect(refundOfKey(paymentId, stateAfter(...before), 'somebody-else')).toBe('somebody-else')
  })

  test('tells when it fails', async () => {
    const data = { refundId: 'refund-1', ...declined }
    const nothingTaken = gatewayWith()
    await held(nothingTaken)
    expect(await work(refundPayment(nothingTaken.gateways), before, 'refund-1')).toStrictEqual(
      asks('RecordRefundFailure', data),
    )
    expect(await work(refundPayment(gatewayWith(down).gateways), before, 'refund-1', 12)).toStrictEqual(
      asks('RecordRefundFailure', { ...data, ...unavailable }),
    )
  })
})

test('an order is ended when its time is up, with the time that it was set for', async () => {
  const { expiresAt } = placement()
  const placed = recorded(orderEvents, orderId, words.placed)
  expect(expireOrder.opens(placed)).toStrictEqual({ target: orderId, key: '', dueAt: expiresAt })
  const inHand = { target: orderId, key: '', dueAt: expiresAt, jobId: 'job-1', attempt: 1, last: false }
  const pendingOrder = order.evolve(order.initial, words.placed)
  expect(expireOrder.isOpen(pendingOrder, inHand)).toBe(true)
  expect(await expireOrder.run(pendingOrder, inHand)).toStrictEqual([
    ask(order, orderId, 'ExpireOrder', { dueAt: expiresAt }),
  ])
})

test('somebody who is forgotten loses the key to their data, and then it is said', async () => {
  const keys = memoryKeyVault()
  const { seal, open } = personalData(keys)
  const schema = customerEvents.schemas.CustomerRenamed
  const renamed = await seal(schema, schema.parse({ name: 'Ada Lovelace' }), () => 'ada')
  expect(await open(schema, [renamed])).toStrictEqual([{ name: 'Ada Lovelace' }])
  const credentials = memoryCredentialStore()
  const asGuest = await seal(schema, schema.parse({ name: 'Ada Lovelace' }), () => 'guest-1')
  for (const owner of ['ada', 'bob']) {
    await credentials.write({ kind: 'account', id: owner, owner, expiresAt: null, version: 1, data: '{}' })
  }
  const erase = erasePerson(keys, credentials)
  const taken = customer.evolve(customer.initial, { type: 'GuestTakenOver', data: { guestId: 'guest-1' } })
  const forgotten = customer.evolve(taken, { type: 'CustomerForgotten', data: {} })
  const inHand = { target: 'ada', key: '', dueAt: firstInstant, jobId: 'job-1', attempt: 1, last: false }
  expect(erase.isOpen(customer.initial, inHand)).toBe(false)
  expect(erase.isOpen(forgotten, inHand)).toBe(true)
  expect(await erase.run(forgotten, inHand)).toStrictEqual([
    ask(customer, 'guest-1', 'ForgetCustomer', {}),
    ask(customer, 'ada', 'ConfirmErasure', {}),
  ])
  expect(await open(schema, [renamed, asGuest])).toStrictEqual([{ name: null }, { name: null }])
  expect(await credentials.find('account', 'ada')).toBeUndefined()
  expect(await credentials.find('account', 'bob')).toBeDefined()
})
