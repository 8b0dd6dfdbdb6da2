import { lookup as systemLookup } from 'node:dns'
import { once } from 'node:events'
import { createServer, type LookupFunction } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type WebhookGatewayOptions, webhookGateway } from '../../../src/adapters/webhooks/gateway.ts'
import { receiver, status, verified } from './receiver.ts'

const key = Buffer.alloc(32, 7)
const secret = `whsec_${key.toString('base64')}`
const clock = { now: () => Date.now() }
const body = '{"type":"webhook.test","timestamp":"2026-01-15T09:30:00.000Z","data":{}}'

function gateway(options: Partial<WebhookGatewayOptions> = {}) {
  return webhookGateway({ allowsPrivate: true, timeoutMs: 5_000, clock, userAgent: 'Daybook/test', ...options })
}

function send(url: string, options?: Partial<WebhookGatewayOptions>) {
  return gateway(options).send({ url, messageId: 'message-1', body, keys: [key] })
}

/** Resolves all names to these addresses. */
function resolver(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  return (_name, { all }, done) => (all ? done(null, found) : done(null, found[0]?.address ?? '', found[0]?.family))
}

test('a message is sent as JSON and signed', async () => {
  const { url, messages } = await receiver()
  expect(await send(url)).toEqual({ kind: 'answered', status: 204, retryAfterMs: 0 })
  const [message] = messages
  expect(message?.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Daybook/test' })
  expect(message && verified(message, secret).type).toBe('webhook.test')
})

test('each status is an answer, and a redirect is not followed', async () => {
  const first = await receiver()
  const second = await receiver()
  first.reply(status(307, { location: second.url }))
  expect(await send(first.url)).toMatchObject({ kind: 'answered', status: 307 })
  expect(second.messages).toEqual([])
  first.reply(status(503))
  expect(await send(first.url)).toMatchObject({ kind: 'answered', status: 503 })
})

test.each([
  ['120', 120_000],
  ['999999999', 86_400_000],
  ['soon', 0],
  ['-5', 0],
])('a receiver asks to be left alone with Retry-After: %s', async (said, retryAfterMs) => {
  const { url, reply } = await receiver()
  reply(status(429, { 'retry-after': said }))
  expect(await send(url)).toMatchObject({ status: 429, retryAfterMs })
})

test('a receiver asks to be left alone until a time', async () => {
  const { url, reply } = await receiver()
  const nowMs = Date.UTC(2026, 0, 15, 9, 30)
  reply(status(503, { 'retry-after': 'Thu, 15 Jan 2026 09:31:00 GMT' }))
  expect(await send(url, { clock: { now: () => nowMs } })).toMatchObject({ retryAfterMs: 60_000 })
})

describe('a receiver that takes its time is given up', () => {
  test('when it does not answer', async () => {
    const { url, reply } = await receiver()
    reply(() => {})
    expect(await send(url, { timeoutMs: 100 })).toEqual({ kind: 'unanswered', code: 'timeout' })
  })

  test('when its answer does not end', async () => {
    const { url, reply } = await receiver()
    reply((response) => void response.writeHead(200).write('still'))
    expect(await send(url, { timeoutMs: 100 })).toEqual({ kind: 'unanswered', code: 'timeout' })
  })

  test('when its name is never found', async () => {
    const never: LookupFunction = () => {}
    const answer = await send('http://erp.example/', { timeoutMs: 100, lookup: never })
    expect(answer).toEqual({ kind: 'unanswered', code: 'timeout' })
  })
})

test('of an answer without end only so much is read', async () => {
  const { url, reply } = await receiver()
  reply((response) => {
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    }
    response.on('drain', more)
    more()
  })
  expect(await send(url)).toMatchObject({ kind: 'answered', status: 200 })
})

test('what fails has a short name, and no text of others', async () => {
  const server = createServer((socket) => socket.end('nonsense\r\n\r\n'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  expect(await send(`http://127.0.0.1:${port}/`)).toEqual({ kind: 'unanswered', code: 'hpe-invalid-constant' })
  expect(await send('https://127.0.0.1:1/')).toEqual({ kind: 'unanswered', code: 'econnrefused' })
  expect(await send('nonsense')).toEqual({ kind: 'unanswered', code: 'url-invalid' })
})

test.each([true, false])(
  'a name that the system does not know is a failure like others (private ones allowed: %s)',
  async (allowsPrivate) => {
    const unknown = await send('https://erp.invalid/', { allowsPrivate, lookup: systemLookup })
    // The last where no name server answers.
    expect(unknown).toEqual({ kind: 'unanswered', code: expect.stringMatching(/^(?:enotfound|eai-again|timeout)$/) })
  },
)

describe('nothing private is called', () => {
  const refused = { kind: 'unanswered', code: 'address-not-allowed' }

  test.each(['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433', '169.254.169.254'])(
    'as the address %s',
    async (host) => {
      expect(await send(`https://${host}/`, { allowsPrivate: false })).toEqual(refused)
    },
  )

  test.each([[['127.0.0.1']], [['93.184.216.34', '10.0.0.1']], [['::1']], [['::ffff:a00:1']], [['fd00::1']]])(
    'by a name that leads to %s',
    async (addresses) => {
      const options = { allowsPrivate: false, lookup: resolver(addresses) }
      expect(await send('https://erp.example/', options)).toEqual(refused)
    },
  )

  test('by a name that led elsewhere a moment ago: each call goes to the address that was looked up for it', async () => {
    const { url, messages } = await receiver()
    const { port } = new URL(url)
    let lookUps = 0
    const counted: LookupFunction = (...given) => {
      lookUps++
      resolver(['127.0.0.1'])(...given)
    }
    for (const calls of [1, 2]) {
      expect(await send(`http://erp.example:${port}/`, { lookup: counted })).toMatchObject({ status: 204 })
      expect([lookUps, messages.length]).toEqual([calls, calls])
    }
  })

  test('nor anything in the clear', async () => {
    expect(await send('http://93.184.216.34/', { allowsPrivate: false })).toEqual({
      kind: 'unanswered',
      code: 'not-https',
    })
  })
})
