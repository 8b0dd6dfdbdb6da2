import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { finished } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { sandboxGateway } from '../../../src/adapters/sandbox/gateway.ts'
import { receiveCallbacks } from './callback-receiver.ts'
import { cards, payment, secret } from './sandbox.ts'

const main = fileURLToPath(new URL('../../../src/adapters/sandbox/main.ts', import.meta.url))
const base = { PATH: process.env.PATH, SANDBOX_SECRET: secret, SANDBOX_PORT: '0', SANDBOX_CALLBACK_DELAY_MS: '0' }
const Address = z.object({ host: z.literal('127.0.0.1'), port: z.int().min(1) })

interface Started {
  readonly child: ChildProcess
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<unknown[]>
  /** All that it has written, once it has ended. */
  output(): Promise<{ readonly stdout: string; readonly stderr: string }>
}

function started(child: ChildProcess): Started {
  const { stdout, stderr } = child
  if (stdout === null || stderr === null) throw new Error('The process has no output')
  const written = { stdout: '', stderr: '' }
  stdout.on('data', (chunk) => (written.stdout += String(chunk)))
  stderr.on('data', (chunk) => (written.stderr += String(chunk)))
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return {
    child,
    ended: once(child, 'exit'),
    async output() {
      await Promise.all([finished(stdout), finished(stderr)])
      return written
    },
  }
}

function forked(environment: Record<string, string> = {}): Started {
  return started(fork(main, { env: { ...base, ...environment }, execArgv: [], silent: true }))
}

async function listening({ child }: Started): Promise<string> {
  const [message] = await once(child, 'message')
  return `http://127.0.0.1:${Address.parse(message).port}`
}

async function tokenFor(url: string, number: string): Promise<string> {
  const body = JSON.stringify({ number, expiry: '12/39', cvc: '123' })
  const response = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  return z.object({ token: z.string().default('') }).parse(await response.json()).token
}

test('the process tells its parent its port, serves and calls back, and never writes a card number', async () => {
  const receiver = await receiveCallbacks(Date.now)
  onTestFinished(receiver.close)
  const process = forked({ SANDBOX_CALLBACK_URL: receiver.url, SANDBOX_CALLBACK_RETRIES: '0' })
  const url = await listening(process)
  const gateway = sandboxGateway({ url, secret, timeoutMs: 5_000 })

  receiver.answer(500)
  await payment(gateway).authorise(await tokenFor(url, cards.pending))
  await receiver.next()
  const pay = payment(gateway)
  await pay.authorise(await tokenFor(url, cards.pending))
  expect(gateway.parseCallback(await receiver.next())).toMatchObject({ kind: 'authorised', paymentId: pay.paymentId })
  expect(await tokenFor(url, '5555555555554444')).toBe('')

  process.child.disconnect()
  expect(await process.ended).toEqual([0, null])
  const { stdout, stderr } = await process.output()
  expect(`${url}\n`).toBe(`http://127.0.0.1:${Address.parse(JSON.parse(stdout)).port}\n`)
  expect(stderr).toMatch(/"msg":"The notice ntc_\S+ was not delivered/)
  expect(stdout + stderr).not.toMatch(/\d{12}(?!\d*,"pid")[0-9]{4}|whsec_/)
})

test('a parent can say later where callbacks go', async () => {
  const receiver = await receiveCallbacks(Date.now)
  onTestFinished(receiver.close)
  const process = forked()
  const url = await listening(process)
  process.child.send({ callbackUrl: receiver.url })
  const gateway = sandboxGateway({ url, secret, timeoutMs: 5_000 })
  await payment(gateway).authorise(await tokenFor(url, cards.pending))
  expect(gateway.parseCallback(await receiver.next())).toMatchObject({ kind: 'authorised' })
})

test('it ends when its parent goes', async () => {
  const process = forked()
  await listening(process)
  process.child.disconnect()
  expect(await process.ended).toEqual([0, null])
})

test('it ends when its parent has gone before it listens', async () => {
  const process = forked()
  process.child.disconnect()
  expect(await process.ended).toEqual([0, null])
})

test('it ends though callbacks and requests are under way', async () => {
  const receiver = await receiveCallbacks(Date.now)
  onTestFinished(receiver.close)
  receiver.answer(500)
  const process = forked({ SANDBOX_CALLBACK_URL: receiver.url, SANDBOX_CALLBACK_RETRY_DELAY_MS: '60000' })
  const url = await listening(process)
  const gateway = sandboxGateway({ url, secret, timeoutMs: 5_000 })
  await payment(gateway).authorise(await tokenFor(url, cards.pending))
  await receiver.next()
  const hanging = payment(gateway).authorise(await tokenFor(url, cards.hangs))
  const failed = expect(hanging).rejects.toThrow('did not answer')
  const waiting = await fetch(`${url}/v1/payments/none`) // after the call that hangs, so that it is under way
  expect(waiting.status).toBe(404)
  process.child.disconnect()
  expect(await process.ended).toEqual([0, null])
  await failed
})

test('without a parent it listens all the same, and says where on standard output', async () => {
  const process = started(spawn(globalThis.process.execPath, [main], { env: base }))
  const { child } = process
  if (child.stdout === null) throw new Error('no standard output')
  const [line] = await once(child.stdout, 'data')
  const { port } = Address.parse(JSON.parse(String(line)))
  expect((await fetch(`http://127.0.0.1:${port}/v1/payments/none`)).status).toBe(404)
  child.kill('SIGTERM')
  expect(await process.ended).toEqual([0, null])
})

test('it says which settings are wrong, and ends', async () => {
  const process = forked({ SANDBOX_ANSWER: 'perhaps', SANDBOX_SECRET: 'hunter2' })
  expect(await process.ended).toEqual([1, null])
  expect(await process.output()).toEqual({ stdout: '', stderr: expect.stringMatching(/^SANDBOX_ANSWER: [^\n]+\n$/) })
})

test('it says which secret it needs, without repeating the one it got, and ends', async () => {
  const process = forked({ SANDBOX_SECRET: 'hunter2' })
  expect(await process.ended).toEqual([1, null])
  expect((await process.output()).stderr).toMatch('must be whsec_')
  expect((await process.output()).stderr).not.toMatch('hunter2')
})

test('it ends when its port is taken, though its parent stays', async () => {
  const other = createServer()
  onTestFinished(() => void other.close())
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const process = forked({ SANDBOX_PORT: String(port) })
  expect(await process.ended).toEqual([1, null])
  expect((await process.output()).stderr).toMatch('EADDRINUSE')
})
