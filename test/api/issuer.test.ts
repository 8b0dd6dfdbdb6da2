import { scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { authentication } from '../../src/api/authentication.ts'
import { outsideIssuer, withIssuer } from '../../src/api/issuer.ts'
import { tokens } from '../../src/api/tokens.ts'
import { serveHttp } from '../adapters/sandbox/http-server.ts'
import { manualClock } from '../manual-clock.ts'

const tenMinutesMs = 600_000

/** A shop that believes an issuer, whose key can be withdrawn, and which can be down. */
async function believing() {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const published = { isDown: false, keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] }
  const asked = { times: 0 }
  const url = await serveHttp((_request, response) => {
    asked.times++
    if (published.isDown) response.writeHead(503).end()
    else response.end(JSON.stringify({ keys: published.keys }))
  })
  const manual = manualClock()
  let setBackMs = 0
  const clock = { ...manual, now: () => manual.now() - setBackMs }
  /** Sets the machine's clock, as somebody or a time server does. */
  function setBack(byMs: number): void {
    setBackMs = byMs
  }
  const own = tokens({
    keys: [{ kid: 'own', secret: new TextEncoder().encode('a secret of tests, 32 bytes long') }],
    audiences: ['shop'],
    lifetimesMs: { customer: 1_000, guest: 1_000 },
    clock,
  })
  const issuer = outsideIssuer({ issuer: 'https://id.example', jwksUrl: url, audience: 'shop', clock })
  const authenticate = authentication({
    tokens: withIssuer(own, issuer),
    findApiKey: async () => undefined,
    isForgotten: async () => false,
    scopes: [],
    clock,
  })
  const token = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .setIssuer('https://id.example')
    .setAudience('shop')
    .setSubject('ada')
    .setExpirationTime(4_000_000_000)
    .sign(privateKey)
  const ask = async () =>
    await authenticate({ authorization: `Bearer ${token}`, address: '127.0.0.1', isLocal: false }).then(
      ({ kind }) => kind,
      () => 'refused',
    )
  return { published, asked, clock, setBack, ask }
}

/** Keeps all threads of the process' pool busy, so that a signature takes longer to verify than keys to arrive. */
async function occupiedThreads(): Promise<void> {
  await Promise.all(Array.from({ length: 16 }, async () => await promisify(scrypt)('busy', 'salt', 32)))
}

test('a token that was seen is refused once its key is withdrawn, long before it expires', async () => {
  const { published, clock, ask } = await believing()
  expect(await ask()).toBe('customer')
  published.keys = []
  expect(await ask()).toBe('customer')
  await clock.advance(tenMinutesMs)
  // Nobody waits for the keys: who comes before they are there is believed by the known ones, and not remembered.
  await expect.poll(ask).toBe('refused')
})

test('a token verified by a withdrawn key is not believed longer for keys that arrive meanwhile', async () => {
  const { published, asked, clock, ask } = await believing()
  expect(await ask()).toBe('customer')
  published.keys = []
  await clock.advance(tenMinutesMs)
  const busy = occupiedThreads()
  const asking = ask()
  await expect.poll(() => asked.times).toBe(2)
  expect(await asking).toBe('customer')
  await busy
  await expect.poll(ask).toBe('refused')
})

test('a clock that is set back lets no withdrawn key be believed for longer', async () => {
  const { published, clock, setBack, ask } = await believing()
  expect(await ask()).toBe('customer')
  published.keys = []
  setBack(6 * tenMinutesMs)
  await clock.advance(tenMinutesMs)
  await expect.poll(ask).toBe('refused')
})

test('a token that was seen goes on while the keys can’t be asked for', async () => {
  const { published, asked, clock, ask } = await believing()
  expect(await ask()).toBe('customer')
  published.isDown = true
  await clock.advance(tenMinutesMs)
  expect(await ask()).toBe('customer')
  await expect.poll(() => asked.times).toBe(2)
  expect(await ask()).toBe('customer')
})
