import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { signingKey, verifiedId } from '../../../src/adapters/sandbox/callback-signature.ts'
import { sandboxGateway } from '../../../src/adapters/sandbox/gateway.ts'
import { signatureHeaders } from '../../../src/adapters/standard-webhooks/signature.ts'
import { ForgedCallbackError } from '../../../src/workers/payment-gateway.ts'
import { secret } from './sandbox.ts'

// What the reference implementation makes of this message.
const reference = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  body: Buffer.from('{"test": 2432232314}'),
  now: 1_614_265_330_000,
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
}
const key = signingKey(reference.secret)
const headers = {
  'webhook-id': reference.id,
  'webhook-timestamp': '1614265330',
  'webhook-signature': reference.signature,
}
const { body, now } = reference

describe('a signature', () => {
  test('is what Standard Webhooks prescribes', () => {
    expect(signatureHeaders([key], reference.id, body, now)).toEqual(headers)
    expect(verifiedId(key, { headers, body, now })).toBe(reference.id)
  })

  test('covers bytes that are no text', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00])
    const signed = signatureHeaders([key], 'a', bytes, now)
    expect(verifiedId(key, { headers: signed, body: bytes, now })).toBe('a')
    const others = Buffer.from([0xfd, 0xfc, 0x00]) // the same as text: two replacement characters
    expect(() => verifiedId(key, { headers: signed, body: others, now })).toThrow(ForgedCallbackError)
  })

  test('may be one of several, as while a secret is replaced', () => {
    const signed = (signatures: string) => ({ headers: { ...headers, 'webhook-signature': signatures }, body, now })
    const { signature } = reference
    expect(verifiedId(key, signed(`v1,AAAA v1a,other ${signature}`))).toBe(reference.id)
    expect(verifiedId(key, signed(`${signature} v1,AAAA`))).toBe(reference.id)
    for (const wrong of [`v2,${signature.slice(3)}`, signature.slice(3), `${signature}A`, 'v1,', ' ', ',']) {
      expect(() => verifiedId(key, signed(wrong)), wrong).toThrow(ForgedCallbackError)
    }
  })

  test('holds for five minutes before and after', () => {
    const at = (ms: number) => () => verifiedId(key, { headers, body, now: now + ms })
    expect(at(300_000)()).toBe(reference.id)
    expect(at(-300_000)()).toBe(reference.id)
    expect(at(300_001)).toThrow(ForgedCallbackError)
    expect(at(-300_001)).toThrow(ForgedCallbackError)
  })

  test.each(Object.keys(headers))('needs %s', (name) => {
    const without = Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name))
    expect(() => verifiedId(key, { headers: without, body, now })).toThrow(ForgedCallbackError)
    expect(() => verifiedId(key, { headers: { ...headers, [name]: '' }, body, now })).toThrow(ForgedCallbackError)
  })

  test('covers id, time and body', () => {
    const forged = [
      { headers: { ...headers, 'webhook-id': 'msg_other' }, body, now },
      { headers: { ...headers, 'webhook-timestamp': '1614265331' }, body, now },
      { headers, body: Buffer.from('{"test": 2432232315}'), now },
    ]
    for (const each of forged) expect(() => verifiedId(key, each)).toThrow(ForgedCallbackError)
  })

  test.each(['now', '1614265330.0', '1614265330abc', ' 1614265330', '1e9', '-1', '9999999999999'])(
    'has a time in whole seconds, which %j is not',
    (timestamp) => {
      const digest = createHmac('sha256', key).update(`${reference.id}.${timestamp}.${body}`).digest('base64')
      const signed = { ...headers, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${digest}` }
      expect(() => verifiedId(key, { headers: signed, body, now })).toThrow('The time of the callback is none')
    },
  )
})

describe('a secret', () => {
  test('needs its prefix and enough bytes, and is not repeated when it has not', () => {
    for (const wrong of [
      '',
      'hunter2',
      secret.slice(6),
      'whsec_',
      'whsec_c2hvcnQ=',
      'whsec_not base64 at all!!!!!!!!!!!!!!',
    ]) {
      expect(() => signingKey(wrong), wrong).toThrow(/must be whsec_ followed by 24 to 64 random bytes in base64$/)
    }
    expect(signingKey(secret)).toHaveLength(32)
  })
})

describe('parseCallback', () => {
  const gateway = sandboxGateway({ url: 'http://127.0.0.1:1', secret: reference.secret, timeoutMs: 1 })
  const data = { paymentId: 'p', reference: 'r', amount: 1, currency: 'EUR' }
  const notice = { type: 'authorised', timestamp: '2026-01-01T00:00:00.000Z', data }

  function parse(content: unknown) {
    const sent = Buffer.from(typeof content === 'string' ? content : JSON.stringify(content))
    return gateway.parseCallback({ headers: signatureHeaders([key], 'n', sent, now), body: sent, now })
  }

  test('makes a notice of what is signed', () => {
    const expected = { noticeId: 'n', kind: 'authorised', ...data, occurredAt: notice.timestamp }
    expect(parse(notice)).toEqual(expected)
    expect(parse({ ...notice, unknown: 1, data: { ...data, unknown: 2 } })).toEqual(expected)
  })

  test.each([
    '',
    'not json',
    'null',
    '[]',
    {},
    { ...notice, type: 'chargeback' },
    { ...notice, timestamp: 'yesterday' },
    { ...notice, data: { ...data, amount: 0.5 } },
    { ...notice, data: { ...data, amount: -1 } },
    { ...notice, data: { ...data, currency: 'euro' } },
    { ...notice, data: { ...data, reference: '' } },
    { ...notice, data: { ...data, paymentId: undefined } },
  ])('refuses what is signed but no notice: %j', (content) => {
    expect(() => parse(content)).toThrow(ForgedCallbackError)
  })
})
