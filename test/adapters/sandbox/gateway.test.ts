import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { describe, expect, test } from 'vitest'
import { sandboxGateway } from '../../../src/adapters/sandbox/gateway.ts'
import { UnavailableError } from '../../../src/engine/errors.ts'
import { serveHttp, urlOf } from './http-server.ts'
import { secret } from './sandbox.ts'

const request = { paymentId: 'p1', token: 'tok_1', amount: 2500, currency: 'EUR', idempotencyKey: 'key-1' }
const followUp = { paymentId: 'p1', reference: 'pay_1/..?', amount: 2500, currency: 'EUR', idempotencyKey: 'key-2' }

/** A gateway over a server that does what the test says. */
async function gatewayOver(listener: RequestListener, timeoutMs = 5_000) {
  return sandboxGateway({ url: `${await serveHttp(listener)}/`, secret, timeoutMs })
}

/** A gateway that gets this answer, whatever it asks. */
function answered(status: number, body: unknown) {
  return gatewayOver((_, response) => {
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}

async function bodyOf(incoming: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

describe('a call', () => {
  test('carries its idempotency key, and stays inside its path', async () => {
    const seen: unknown[] = []
    const gateway = await gatewayOver((incoming, response) => {
      const { method, url, headers } = incoming
      const answered = bodyOf(incoming).then((body) => {
        seen.push([method, url, headers['idempotency-key'], headers['content-type'], body])
        response.end('{"status":"succeeded","reference":"pay_1"}')
      })
      answered.catch(() => response.destroy())
    })
    await gateway.authorise(request)
    for (const verb of ['capture', 'refund', 'cancel'] as const) await gateway[verb](followUp)
    const { idempotencyKey, ...authorisation } = request
    const rest = { paymentId: 'p1', amount: 2500, currency: 'EUR' }
    expect(seen).toEqual([
      ['POST', '/v1/payments', 'key-1', 'application/json', authorisation],
      ['POST', '/v1/payments/pay_1%2F..%3F/capture', 'key-2', 'application/json', rest],
      ['POST', '/v1/payments/pay_1%2F..%3F/refund', 'key-2', 'application/json', rest],
      ['POST', '/v1/payments/pay_1%2F..%3F/cancel', 'key-2', 'application/json', rest],
    ])
  })

  test('ends when no answer comes', async () => {
    const gateway = await gatewayOver(() => {}, 50)
    await expect(gateway.authorise(request)).rejects.toThrow(UnavailableError)
  })

  test('ends when an answer begins and never ends', async () => {
    const gateway = await gatewayOver((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"status":')
    }, 50)
    await expect(gateway.authorise(request)).rejects.toThrow(UnavailableError)
  })

  test('ends when the connection is cut', async () => {
    const gateway = await gatewayOver((_, response) => response.destroy())
    await expect(gateway.capture(followUp)).rejects.toThrow(UnavailableError)
  })

  test('ends when nobody listens', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = urlOf(server)
    await new Promise((resolve) => server.close(resolve))
    const gateway = sandboxGateway({ url, secret, timeoutMs: 5_000 })
    await expect(gateway.authorise(request)).rejects.toThrow(UnavailableError)
  })

  test.each([500, 502, 503, 429, 408])('that is answered %i may be made again', async (status) => {
    const gateway = await answered(status, { code: 'some-code' })
    const failed = gateway.authorise(request)
    await expect(failed).rejects.toThrow(UnavailableError)
    await expect(failed).rejects.toThrow(`answered ${status} (some-code)`)
  })

  test.each([400, 404, 422])('that is answered %i fails, and is no refusal', async (status) => {
    const gateway = await answered(status, '<html>')
    const failed = gateway.authorise(request)
    await expect(failed).rejects.not.toThrow(UnavailableError)
    await expect(failed).rejects.toThrow(`answered ${status}`)
  })

  test('follows no redirect, which could lead the token elsewhere', async () => {
    const elsewhere = await serveHttp((_, response) => response.end('{"status":"succeeded","reference":"r"}'))
    const gateway = await gatewayOver((_, response) => response.writeHead(307, { location: elsewhere }).end())
    await expect(gateway.authorise(request)).rejects.toThrow('did not answer')
  })
})

describe('an answer', () => {
  const redirect = (url: string) => ({ status: 'pending', reference: 'r', nextAction: { kind: 'redirect', url } })

  test.each([
    { status: 'succeeded', reference: 'r' },
    { status: 'pending', reference: 'r', nextAction: { kind: 'none' } },
    redirect('https://bank.example/approve?id=1'),
    { status: 'refused', code: 'card-declined', reason: 'No.' },
  ])('is taken as it is: %j', async (answer) => {
    expect(await (await answered(200, answer)).authorise(request)).toEqual(answer)
  })

  test.each([
    ['empty', ''],
    ['no JSON', 'OK'],
    ['null', null],
    ['a list', [{ status: 'succeeded', reference: 'r' }]],
    ['an unknown status', { status: 'maybe', reference: 'r' }],
    ['without a reference', { status: 'succeeded' }],
    ['with a reference that is too long', { status: 'succeeded', reference: 'r'.repeat(201) }],
    ['pending without the next action', { status: 'pending', reference: 'r' }],
    ['a redirect to a script', redirect('javascript:alert(1)')],
    ['a refusal without a code', { status: 'refused', reason: 'No.' }],
  ])('that is garbage (%s) is an error, not an outcome', async (_, answer) => {
    await expect((await answered(200, answer)).authorise(request)).rejects.toThrow('what is no answer')
  })
})
