import type { LightMyRequestResponse } from 'fastify'
import { decodeJwt, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { serve, staffSecret } from './serve.ts'

const page = 'GET /v1/bookings'
const secret = new TextEncoder().encode('a secret of tests, 32 bytes long')

interface Made {
  readonly kid?: string
  readonly alg?: string
  readonly secret?: Uint8Array
  readonly issuer?: string
  readonly audience?: string
  readonly expires?: number
  readonly kind?: unknown
}

/** A token that is good but for what is given. */
function made({
  kid = 'new',
  alg = 'HS256',
  issuer = 'daybook',
  audience = 'shop',
  kind = 'customer',
  ...given
}: Made = {}) {
  return new SignJWT({ kind })
    .setProtectedHeader({ alg, kid })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject('ada')
    .setExpirationTime(given.expires ?? 4_000_000_000)
    .sign(given.secret ?? secret)
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const unsigned = `${encoded({ alg: 'none', kid: 'new' })}.${encoded({ kind: 'customer', sub: 'ada', iss: 'daybook', aud: 'shop', exp: 4_000_000_000 })}.`

test('Who must say who it is gets 401, who may not gets 403', async () => {
  const { send, ada } = await serve()
  const nobody = await send(page)
  expect(nobody.statusCode).toBe(401)
  expect(nobody.json().code).toBe('token-required')
  expect(nobody.headers['www-authenticate']).toBe('Bearer realm="daybook"')
  expect((await send(page, { as: ada })).statusCode).toBe(403)
  const few = await send(page, { as: `dbk_few_${staffSecret}` })
  expect(few.statusCode).toBe(403)
  expect(few.json().detail).toContain('`bookings`')
})

test.each([
  ['that was not signed', unsigned],
  ['signed with another secret', await made({ secret: new TextEncoder().encode('some other secret, 32 bytes long') })],
  ['signed in another way', await made({ alg: 'HS512' })],
  ['of an unknown key', await made({ kid: 'other' })],
  ['of another issuer', await made({ issuer: 'other' })],
  ['for another shop', await made({ audience: 'other' })],
  ['that has expired', await made({ expires: 1_000 })],
  ['of a kind that there is not', await made({ kind: 'staff' })],
  ['of an unknown API key', `dbk_none_${staffSecret}`],
  ['with another secret', 'dbk_all_other'],
  ['without a secret', 'dbk_all_'],
  ['that is none', 'nonsense'],
])('A token %s is 401, also where none is needed', async (_name, token) => {
  const { send } = await serve()
  const answer = await send('GET /v1/venues/globe', { as: token })
  expect(answer.statusCode).toBe(401)
  expect(answer.json().code).toBe('token-invalid')
  expect(answer.headers['www-authenticate']).toBe('Bearer realm="daybook"')
})

test('Another scheme than Bearer is 401', async () => {
  const { send } = await serve()
  const answer = await send('GET /v1/venues/globe', { headers: { authorization: 'Basic YTpi' } })
  expect(answer.statusCode).toBe(401)
})

test('Tokens for the name that the shop had before are believed, and new ones say the present name', async () => {
  const { send, ada } = await serve()
  expect((await send(page, { as: await made({ audience: 'former-shop' }) })).statusCode).toBe(403)
  expect(decodeJwt(ada).aud).toBe('shop')
})

test('Tokens signed with an older secret are believed', async () => {
  const { send } = await serve()
  const token = await made({ kid: 'old', secret: new TextEncoder().encode('an old secret of tests, 32 bytes') })
  expect((await send('GET /v1/bookings/none', { as: token })).statusCode).toBe(404)
})

test('A token is good until it expires, also one that was seen before', async () => {
  const { send, ada, clock } = await serve()
  expect((await send('GET /v1/bookings/none', { as: ada })).statusCode).toBe(404)
  await clock.advance(3_599_000)
  expect((await send('GET /v1/bookings/none', { as: ada })).statusCode).toBe(404)
  await clock.advance(1_000)
  expect((await send('GET /v1/bookings/none', { as: ada })).statusCode).toBe(401)
})

test('An API key that is revoked is refused at once', async () => {
  const { send, staff, apiKeys } = await serve()
  expect((await send(page, { as: staff })).statusCode).toBe(200)
  apiKeys.delete('all')
  expect((await send(page, { as: staff })).statusCode).toBe(401)
})

test('The token of this machine may do everything, from this machine alone', async () => {
  const { send, app } = await serve()
  const as = 'a-token-of-this-machine'
  expect((await send(page, { as })).statusCode).toBe(200)
  expect((await send(page, { as, headers: { 'x-forwarded-for': '127.0.0.1' } })).statusCode).toBe(401)
  const headers = { authorization: `Bearer ${as}` }
  const elsewhere: Promise<LightMyRequestResponse> = app.inject({
    url: '/v1/bookings',
    headers,
    remoteAddress: '192.0.2.1',
  })
  expect((await elsewhere).statusCode).toBe(401)
})

test('The token of this machine is never believed through a proxy, whatever that says', async () => {
  for (const trustProxy of [1, ['127.0.0.1']]) {
    const { send } = await serve({ api: { trustProxy } })
    for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via']) {
      const headers = { [name]: '127.0.0.1' }
      expect((await send(page, { as: 'a-token-of-this-machine', headers })).statusCode).toBe(401)
    }
  }
})

test('An API key cannot pass for the token of this machine, which has no limit', async () => {
  const { send, apiKeys } = await serve({ limits: { requestsPerMinute: 1 } })
  for (const id of ['local-admin', 'local~admin', 'local.admin']) {
    apiKeys.set(id, ['bookings'])
    const as = `dbk_${id}_${staffSecret}`
    expect((await send(page, { as })).statusCode).toBe(200)
    expect((await send(page, { as })).statusCode).toBe(429)
  }
  const as = 'a-token-of-this-machine'
  for (let times = 0; times < 3; times++) expect((await send(page, { as })).statusCode).toBe(200)
})

test('Anybody can begin as a guest', async () => {
  const { send, openVenue, newKey } = await serve()
  await openVenue('globe')
  const answer = await send('POST /v1/guest-tokens')
  expect(answer.statusCode).toBe(201)
  const { token, customerId, expiresAt } = answer.json()
  expect(expiresAt).toBe('2026-01-01T01:00:00.000Z')
  const body = { venueId: 'globe', seats: 1, email: 'guest@example.com' }
  const booked = await send('POST /v1/bookings', { as: token, body, headers: newKey() })
  const { id, position } = booked.json()
  const shown = await send(`GET /v1/bookings/${id}`, { as: token, headers: { 'daybook-position': position } })
  expect(shown.json().customerId).toBe(customerId)
})

test('Only with a scope of its own, and for nobody who is not registered, is a token issued', async () => {
  const { send, staff, apiKeys } = await serve()
  expect((await send('POST /v1/customers/nobody/tokens', { as: staff })).json().code).toBe('customer-not-found')
  apiKeys.set('care', ['customers'])
  expect((await send('POST /v1/customers/eve/tokens', { as: `dbk_care_${staffSecret}` })).statusCode).toBe(403)
})

test('Staff issues tokens for customers', async () => {
  const { send, staff, ada } = await serve()
  const answer = await send('POST /v1/customers/eve/tokens', { as: staff })
  expect(answer.json()).toMatchObject({ customerId: 'eve' })
  expect((await send('GET /v1/bookings/none', { as: answer.json().token })).statusCode).toBe(404)
  expect((await send('POST /v1/customers/eve/tokens', { as: ada })).statusCode).toBe(403)
  expect((await send('POST /v1/customers/e%20ve/tokens', { as: staff })).json().errors[0].parameter).toBe('customerId')
  expect((await send('POST /v1/guest-tokens', { body: { kind: 'staff' } })).json().errors[0].pointer).toBe('#/kind')
})

test('Who tries many tokens is stopped, and others at the same address are not', async () => {
  const { send, staff } = await serve()
  await send(page, { as: staff })
  for (let tries = 0; tries < 100; tries++) await send(page, { as: `dbk_all_guess${tries}` })
  const answer = await send(page, { as: 'dbk_all_onemore' })
  expect(answer.statusCode).toBe(429)
  expect(answer.headers['retry-after']).toBe('60')
  expect((await send(page, { as: staff })).statusCode).toBe(200)
})

test('Tokens that are tried at the same moment count one by one', async () => {
  const { send } = await serve()
  const tries = Array.from({ length: 100 }, (_, number) => send(page, { as: `dbk_all_guess${number}` }))
  expect(new Set((await Promise.all(tries)).map(({ statusCode }) => statusCode))).toEqual(new Set([401]))
  expect((await send(page, { as: 'dbk_all_onemore' })).statusCode).toBe(429)
})

test('A token of somebody who was forgotten is good no more', async () => {
  const { send, issuer } = await serve()
  const { token } = await issuer.issue('guest', 'forgotten')
  expect((await send(page, { as: token })).json().code).toBe('token-invalid')
  expect((await send(page, { as: token })).statusCode).toBe(401)
})
