import { describe, expect, test } from 'vitest'
import { testCards } from '../../../src/adapters/sandbox/test-cards.ts'
import { UnavailableError } from '../../../src/engine/errors.ts'
import { manualClock } from '../../manual-clock.ts'
import { cards, freshKey, payment, type Sandbox, startSandbox } from './sandbox.ts'

const card = { number: cards.succeeds, expiry: '12/39', cvc: '123' }

async function authorised(sandbox: Sandbox) {
  const pay = payment(sandbox.gateway)
  const answer = await pay.authorise(await sandbox.token(cards.succeeds))
  if (answer.status === 'refused') throw new Error(answer.code)
  return { ...pay, reference: answer.reference }
}

describe('tokens', () => {
  test('are given for a test card, however its number is written', async () => {
    const { post } = await startSandbox()
    const given = await post('/v1/tokens', card)
    expect(given.status).toBe(201)
    expect(await given.json()).toEqual({ token: expect.stringMatching(/^tok_[0-9a-f-]{36}$/) })
    expect((await post('/v1/tokens', { ...card, number: '4242 4242-4242 4242' })).status).toBe(201)
  })

  test('are given to the page of any shop, and nothing else is', async () => {
    const { url, post } = await startSandbox()
    const origin = { origin: 'https://shop.example' }
    const preflight = (path: string) =>
      fetch(`${url}${path}`, {
        method: 'OPTIONS',
        headers: {
          ...origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
        },
      })
    const asked = await preflight('/v1/tokens')
    expect(asked.status).toBe(204)
    expect(asked.headers.get('access-control-allow-origin')).toBe('*')
    expect(asked.headers.get('access-control-allow-headers')).toBe('content-type')
    expect((await post('/v1/tokens', card, origin)).headers.get('access-control-allow-origin')).toBe('*')
    // The page must be able to read what is wrong, too.
    expect((await post('/v1/tokens', {}, origin)).headers.get('access-control-allow-origin')).toBe('*')
    expect((await preflight('/v1/payments')).headers.get('access-control-allow-origin')).toBeNull()
    expect((await post('/v1/payments', {}, origin)).headers.get('access-control-allow-origin')).toBeNull()
  })

  test('are not given for any other number, which is not repeated; the test cards are listed', async () => {
    const { post } = await startSandbox()
    const refused = await post('/v1/tokens', { ...card, number: '5555555555554444' })
    expect(refused.status).toBe(422)
    expect(refused.headers.get('content-type')).toMatch('application/problem+json')
    const text = await refused.text()
    expect(text).not.toContain('5555555555554444')
    const problem: unknown = JSON.parse(text)
    expect(problem).toMatchObject({ code: 'unknown-card', status: 422, title: 'Unprocessable Entity' })
    const listed = testCards.map(({ number }) => ({ number, does: expect.stringMatching(/^The payment .*\.$/) }))
    expect(problem).toMatchObject({ testCards: listed })
  })

  test.each([
    [{ ...card, expiry: '13/30' }, '/expiry'],
    [{ ...card, expiry: '2030-01' }, '/expiry'],
    [{ ...card, cvc: '12' }, '/cvc'],
    [{ ...card, number: 4242424242424242 }, '/number'],
    [{ ...card, number: '4'.repeat(41) }, '/number'],
    [{}, '/number'],
    [[], ''],
  ])('are not given for %j', async (body, pointer) => {
    const { post } = await startSandbox()
    const refused = await post('/v1/tokens', body)
    expect(refused.status).toBe(422)
    const text = await refused.text()
    expect(text).not.toMatch(/4242|4444/)
    expect(JSON.parse(text)).toMatchObject({
      code: 'invalid',
      errors: expect.arrayContaining([expect.objectContaining({ pointer })]),
    })
  })

  test('are given until the last month of a card has passed', async () => {
    const clock = manualClock(Date.UTC(2026, 0, 31))
    const { post } = await startSandbox({ clock })
    const january = { ...card, expiry: '01/26' }
    expect((await post('/v1/tokens', january)).status).toBe(201)
    await clock.advance(24 * 3_600_000)
    const refused = await post('/v1/tokens', january)
    expect(await refused.json()).toMatchObject({ status: 422, code: 'card-expired' })
  })
})

describe('payments', () => {
  const money = { paymentId: 'p', amount: 100, currency: 'EUR' }

  test('need an idempotency key', async () => {
    const { post, token } = await startSandbox()
    const refused = await post('/v1/payments', { ...money, token: await token(cards.succeeds) })
    expect(await refused.json()).toMatchObject({ status: 400, code: 'idempotency-key-missing' })
  })

  test('are not made again under a key that was used for anything else', async () => {
    const sandbox = await startSandbox()
    const token = await sandbox.token(cards.succeeds)
    const other = await sandbox.token(cards.succeeds)
    const send = async (path: string, body: object) =>
      (await sandbox.post(path, body, { 'idempotency-key': 'key' })).json()
    const first = await send('/v1/payments', { ...money, token })
    expect(first).toMatchObject({ status: 'succeeded' })
    const reused = { status: 422, code: 'idempotency-key-reused' }
    expect(await send('/v1/payments', { ...money, token, amount: 101 })).toMatchObject(reused)
    expect(await send('/v1/payments', { ...money, token, currency: 'USD' })).toMatchObject(reused)
    expect(await send('/v1/payments', { ...money, token: other })).toMatchObject(reused)
    expect(await send('/v1/payments/pay_1/capture', money)).toMatchObject(reused)
    expect(await send('/v1/payments', { token, ...money })).toEqual(first)
    const { capture, refund, reference } = await authorised(sandbox)
    await capture(reference, 100, 'follow-up')
    await expect(refund(reference, 100, 'follow-up')).rejects.toThrow('422 (idempotency-key-reused)')
    expect(await send('/v1/payments', { currency: 'EUR', amount: 100, paymentId: 'p', token, more: 1 })).toEqual(first)
  })

  test('repeat a refusal, and an answer that time has overtaken', async () => {
    const { gateway, token, notice } = await startSandbox()
    const pay = payment(gateway)
    const declined = await token(cards.declined)
    expect(await pay.authorise(declined, 'refused')).toEqual(await pay.authorise(declined, 'refused'))
    const pending = await token(cards.pending)
    const first = await pay.authorise(pending, 'pending')
    await notice()
    expect(await pay.authorise(pending, 'pending')).toEqual(first)
  })

  test.each([
    [{ amount: 0 }, '/amount'],
    [{ amount: -1 }, '/amount'],
    [{ amount: 1.5 }, '/amount'],
    [{ amount: '100' }, '/amount'],
    [{ currency: 'euro' }, '/currency'],
    [{ paymentId: '' }, '/paymentId'],
    [{ token: undefined }, '/token'],
  ])('are not made of %j', async (wrong, pointer) => {
    const { post } = await startSandbox()
    const refused = await post('/v1/payments', { ...money, token: 'tok', ...wrong }, { 'idempotency-key': 'key' })
    expect(await refused.json()).toMatchObject({ status: 422, code: 'invalid', errors: [{ pointer }] })
  })

  test('are refused for another payment or currency than theirs', async () => {
    const sandbox = await startSandbox()
    const { reference, paymentId } = await authorised(sandbox)
    const request = { reference, paymentId, amount: 1, currency: 'EUR' }
    for (const verb of ['capture', 'refund', 'cancel'] as const) {
      const ask = (wrong: object) => sandbox.gateway[verb]({ ...request, ...wrong, idempotencyKey: freshKey() })
      expect(await ask({ paymentId: 'other' })).toMatchObject({ status: 'refused', code: 'unknown-payment' })
      expect(await ask({ currency: 'USD' })).toMatchObject({ status: 'refused', code: 'currency-mismatch' })
    }
  })

  test('count what is pending: no more is taken than was held', async () => {
    const sandbox = await startSandbox({ behaviour: { answer: 'pending' } })
    const pay = payment(sandbox.gateway)
    const answer = await pay.authorise(await sandbox.token(cards.succeeds))
    await sandbox.notice()
    const reference = 'reference' in answer ? answer.reference : ''
    const captures = await Promise.all([1500, 1500].map((amount) => pay.capture(reference, amount)))
    expect(captures.map(({ status }) => status).toSorted()).toEqual(['pending', 'refused'])
    await sandbox.notice()
    const refunds = await Promise.all([1000, 1000].map((amount) => pay.refund(reference, amount)))
    expect(refunds.map(({ status }) => status).toSorted()).toEqual(['pending', 'refused'])
  })

  test('let go of the rest when part was taken', async () => {
    const sandbox = await startSandbox()
    const { reference, capture, cancel, refund } = await authorised(sandbox)
    await capture(reference, 1000)
    expect(await cancel(reference)).toMatchObject({ status: 'succeeded' })
    expect(await capture(reference, 1)).toMatchObject({ status: 'refused', code: 'payment-cancelled' })
    expect(await refund(reference, 1000)).toMatchObject({ status: 'succeeded' })
    expect(await sandbox.payment(reference)).toMatchObject({ status: 'cancelled', captured: 1000, refunded: 1000 })
  })

  test('have a bounded number of operations', async () => {
    const sandbox = await startSandbox()
    const { reference, capture } = await authorised(sandbox)
    const answers = await Promise.all(Array.from({ length: 100 }, () => capture(reference, 1)))
    expect(answers.filter(({ status }) => status === 'succeeded')).toHaveLength(99)
    expect(answers).toContainEqual(expect.objectContaining({ code: 'too-many-operations' }))
  })

  test('are not taken on while too many callbacks wait, and then under the same key', async () => {
    const clock = manualClock()
    const { gateway, token, post } = await startSandbox({ clock, maxPayments: 2 })
    const pay = payment(gateway)
    const card = await token(cards.pending)
    await pay.authorise(card)
    await pay.authorise(card)
    const busy = pay.authorise(card, 'key')
    await expect(busy).rejects.toThrow(UnavailableError)
    await expect(busy).rejects.toThrow('503 (sandbox-busy)')
    const refused = await post('/v1/payments', { ...money, token: card }, { 'idempotency-key': 'other' })
    expect(refused.headers.get('retry-after')).toBe('1')
    await clock.advance(0)
    await expect.poll(() => pay.authorise(card, 'key')).toMatchObject({ status: 'pending' })
  })

  test('and tokens are forgotten beyond a bound, those first that were used least recently', async () => {
    const sandbox = await startSandbox({ maxPayments: 2 })
    const old = await sandbox.token(cards.succeeds)
    const { reference, capture } = await authorised(sandbox)
    const { reference: unused } = await authorised(sandbox)
    await capture(reference, 1)
    await authorised(sandbox)
    expect(await sandbox.payment(reference)).toMatchObject({ captured: 1 })
    expect(await sandbox.payment(unused)).toMatchObject({ status: 404, code: 'payment-not-found' })
    expect(await payment(sandbox.gateway).authorise(old)).toMatchObject({ status: 'refused', code: 'unknown-token' })
    expect(await capture(unused)).toMatchObject({ status: 'refused', code: 'unknown-payment' })
  })
})

describe('problems', () => {
  test('tell what cannot be read, and are never the fault of the sandbox', async () => {
    const { url, get, errors } = await startSandbox()
    const send = (body: string, type = 'application/json') =>
      fetch(`${url}/v1/payments`, { method: 'POST', headers: { 'content-type': type }, body })
    const problems: [Promise<Response>, number, string][] = [
      [send('{'), 400, 'bad-request'],
      [send(''), 400, 'bad-request'],
      [send('a=1', 'text/plain'), 415, 'unsupported-media-type'],
      [send(JSON.stringify('x'.repeat(20_000))), 413, 'payload-too-large'],
      [send('null'), 422, 'invalid'],
      [get('/v1/payments/none'), 404, 'payment-not-found'],
      [get('/none'), 404, 'not-found'],
      [get('/v1/payments/%'), 400, 'bad-request'],
    ]
    for (const [response, status, code] of problems)
      expect(await (await response).json()).toMatchObject({ status, code })
    expect(errors).toHaveLength(0)
  })
})
