import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { signingKey } from '../../../src/adapters/sandbox/callback-signature.ts'
import { callbackSender } from '../../../src/adapters/sandbox/callbacks.ts'
import { sandboxGateway } from '../../../src/adapters/sandbox/gateway.ts'
import { systemClock } from '../../../src/engine/clock.ts'
import { ForgedCallbackError, type GatewayNotice } from '../../../src/workers/payment-gateway.ts'
import { manualClock } from '../../manual-clock.ts'
import { serveHttp } from './http-server.ts'
import { cards, payment, secret, startSandbox } from './sandbox.ts'

const notice: GatewayNotice = {
  noticeId: 'ntc_1',
  kind: 'authorised',
  paymentId: 'p',
  reference: 'r',
  amount: 1,
  currency: 'EUR',
  occurredAt: '2026-01-01T00:00:00.000Z',
}

function senderTo(url: string, onError: (error: Error) => void = () => {}, timeoutMs = 5_000) {
  const common = { key: signingKey(secret), clock: systemClock, retries: 2, retryDelayMs: 1 }
  return callbackSender({ ...common, url: () => url, timeoutMs, onError })
}

describe('a callback', () => {
  test('is sent again until it is taken, as the same notice, each time signed for its own time', async () => {
    const clock = manualClock()
    const { gateway, token, receiver } = await startSandbox({ clock })
    receiver.answer(503, 500, 404, 301)
    const authorised = payment(gateway).authorise(await token(cards.pending))
    await authorised
    await clock.advance(0)
    const first = await receiver.next()
    await clock.advance(3_600_000)
    const later = [first]
    while (later.length < 5) later.push(await receiver.next())
    const parsed = later.map((callback) => gateway.parseCallback(callback))
    for (const each of parsed) expect(each).toEqual(parsed[0])
    expect(later.at(-1)?.headers['webhook-timestamp']).not.toBe(first.headers['webhook-timestamp'])
  })

  test('is given up after a bounded number of tries, and said so', async () => {
    const { gateway, token, receiver, errors, post } = await startSandbox({ callbackRetries: 2 })
    receiver.answer(500, 500, 500, 500)
    const answer = await payment(gateway).authorise(await token(cards.pending))
    for (let attempt = 0; attempt < 3; attempt++) await receiver.next()
    const reference = 'reference' in answer ? answer.reference : ''

    // A single try for whoever asks to resend, which tells how it went.
    const resend = async () => (await post(`/v1/payments/${reference}/callbacks/resend`, {})).json()
    expect(await resend()).toEqual({ notices: [{ noticeId: expect.any(String), delivered: false }] })
    expect(await resend()).toEqual({ notices: [{ noticeId: expect.any(String), delivered: true }] })
    expect(receiver.received).toHaveLength(5)
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^The notice ntc_\S+ was not delivered$/),
      expect.stringMatching(/^The notice ntc_\S+ was not delivered$/),
    ])
  })

  test('is not waited for without end', async () => {
    const errors: Error[] = []
    const url = await serveHttp(() => {})
    const sender = senderTo(url, (error) => errors.push(error), 20)
    expect(await sender.deliver(notice)).toBe(false)
    expect(errors).toHaveLength(1)
  })

  test('is not delivered when nobody listens or nobody has said where', async () => {
    expect(await senderTo('http://127.0.0.1:1').tryOnce(notice)).toBe(false)
    const clock = manualClock()
    const { gateway, token, errors, post } = await startSandbox({ clock, callbackUrl: () => undefined })
    const answer = await payment(gateway).authorise(await token(cards.never))
    await clock.advance(0)
    const reference = 'reference' in answer ? answer.reference : ''
    const resent = await post(`/v1/payments/${reference}/callbacks/resend`, {})
    expect(await resent.json()).toMatchObject({ notices: [{ delivered: false }] })
    expect(errors[0]?.cause).toMatchObject({ message: 'Nobody has said where callbacks go' })
  })

  test('is given up without a word when the sandbox closes', async () => {
    const errors: Error[] = []
    const closing = Promise.withResolvers<void>()
    const url = await serveHttp(() => closing.resolve())
    const sender = senderTo(url, (error) => errors.push(error))
    const delivered = sender.deliver(notice)
    await closing.promise
    sender.close()
    expect(await delivered).toBe(false)
    expect(await sender.deliver(notice)).toBe(false)
    expect(errors).toHaveLength(0)
  })

  test('waits for its turn where many are under way', async () => {
    const held: ServerResponse[] = []
    let most = 0
    const url = await serveHttp((_, response) => {
      most = Math.max(most, held.push(response))
      if (held.length === 50) setTimeout(answerAll, 50) // time for more to come, if they did not wait
    })
    function answerAll(): void {
      for (const response of held.splice(0)) response.end()
    }
    const sender = senderTo(url)
    const delivered = await Promise.all(Array.from({ length: 150 }, () => sender.deliver(notice)))
    expect(delivered).toEqual(Array.from({ length: 150 }, () => true))
    expect(most).toBe(50)
  })

  test('of another sandbox is forged', async () => {
    const other = `whsec_${Buffer.alloc(32, 'other').toString('base64')}`
    const { gateway, token, receiver, url } = await startSandbox()
    await payment(gateway).authorise(await token(cards.pending))
    const callback = await receiver.next()
    const stranger = sandboxGateway({ url, secret: other, timeoutMs: 5_000 })
    expect(() => stranger.parseCallback(callback)).toThrow(ForgedCallbackError)
    expect(gateway.parseCallback(callback)).toMatchObject({ kind: 'authorised' })
  })
})
