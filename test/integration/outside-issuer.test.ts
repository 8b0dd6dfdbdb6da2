import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { serveHttp } from '../adapters/sandbox/http-server.ts'
import { ask, openAccount } from './account-client.ts'
import { openShop } from './open-shop.ts'
import { guest } from './shop-client.ts'

const issuer = 'https://id.example'
const audience = 'teapots'

/** Another place where people log in; its keys can be changed, and it can be down. */
async function identityProvider() {
  const keys = new Map<string, Awaited<ReturnType<typeof generateKeyPair>>>()
  const asked = { times: 0, isDown: false }
  const url = await serveHttp(async (_request, response) => {
    asked.times++
    if (asked.isDown) {
      response.writeHead(503).end()
      return
    }
    const published = await Promise.all(
      Array.from(keys, async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' })),
    )
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: published }))
  })
  async function addKey(kid: string): Promise<void> {
    keys.set(kid, await generateKeyPair('ES256'))
  }
  await addKey('one')

  return {
    asked,
    addKey,
    settings: {
      DAYBOOK_ISSUER: issuer,
      DAYBOOK_ISSUER_JWKS_URL: `${url}/jwks`,
      DAYBOOK_ISSUER_AUDIENCE: audience,
    },
    async token(claims: JWTPayload = {}, kid = 'one', lifetime = '10m') {
      const pair = keys.get(kid) ?? (await generateKeyPair('ES256'))
      return await new SignJWT({ email: 'ada@example.com', email_verified: true, name: 'Ada Lovelace', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(claims.iss ?? issuer)
        .setAudience(claims.aud ?? audience)
        .setSubject(claims.sub ?? 'user-1')
        .setIssuedAt()
        .setExpirationTime(lifetime)
        .sign(pair.privateKey)
    },
  }
}

describe('a customer who logs in elsewhere', () => {
  test('is the same one each time, registers once, and buys like others', async () => {
    const provider = await identityProvider()
    const shop = await openShop(provider.settings)
    const token = await provider.token()
    const { customerId } = (await shop.send('GET', '/v1/accounts/me', { token })).body
    expect((await ask(shop, 'claim-profile', {}, token)).body).toEqual({ customerId })
    expect((await ask(shop, 'claim-profile', {}, await provider.token({ name: 'Other' }))).body).toEqual({ customerId })
    expect((await shop.send('GET', '/v1/accounts/me', { token })).body).toMatchObject({
      registered: true,
      email: 'ada@example.com',
      name: 'Ada Lovelace',
    })
    expect((await shop.post('/v1/carts', { currency: 'EUR' }, { token })).status).toBe(201)
    const eve = await shop.send('GET', '/v1/accounts/me', { token: await provider.token({ sub: 'user-2' }) })
    expect(eve.body.customerId).not.toBe(customerId)
    // Nobody gets an address that is somebody else's.
    const other = await ask(shop, 'claim-profile', {}, await provider.token({ sub: 'user-2' }))
    expect(other).toMatchObject({ status: 409, body: { code: 'e-mail-address-taken' } })
    const unverified = await provider.token({ sub: 'user-3', email: 'eve@example.com', email_verified: false })
    expect(await ask(shop, 'claim-profile', {}, unverified)).toMatchObject({
      status: 409,
      body: { code: 'profile-missing' },
    })
    await shop.post(`/v1/customers/${customerId}/forget`, {}, { token })
    expect((await shop.send('GET', '/v1/accounts/me', { token })).status).toBe(401)
  })

  test('is nobody with a token that is not for this shop, has expired, or is signed by another key', async () => {
    const provider = await identityProvider()
    const shop = await openShop(provider.settings)
    const [header = '', payload = ''] = (await provider.token()).split('.')
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const secret = Buffer.from('the public key, taken for a secret')
    const bad = {
      'another audience': await provider.token({ aud: 'other' }),
      expired: await provider.token({}, 'one', '-1s'),
      'an unknown key': await provider.token({}, 'none'),
      'alg none': `${encoded({ alg: 'none', kid: 'one' })}.${payload}.`,
      'a symmetric key': await new SignJWT({})
        .setProtectedHeader({ alg: 'HS256', kid: 'one' })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject('user-1')
        .setExpirationTime('10m')
        .sign(secret),
      'no signature': `${header}.${payload}.`,
    }
    for (const [what, token] of Object.entries(bad)) {
      const { status, body } = await shop.send('GET', '/v1/accounts/me', { token })
      expect([what, status, body.code]).toEqual([what, 401, 'token-invalid'])
    }
  })

  test('whose key is known goes on while the keys can’t be asked for; others are told to come again', async () => {
    const provider = await identityProvider()
    const shop = await openShop(provider.settings)
    provider.asked.isDown = true
    const early = await shop.send('GET', '/v1/accounts/me', { token: await provider.token() })
    expect(early).toMatchObject({ status: 503, body: { code: 'issuer-unavailable' } })
    expect(early.headers.get('retry-after')).toBe('5')
    provider.asked.isDown = false
    expect((await shop.send('GET', '/v1/accounts/me', { token: await provider.token() })).status).toBe(200)
    const { times } = provider.asked
    provider.asked.isDown = true
    expect((await shop.send('GET', '/v1/accounts/me', { token: await provider.token({ sub: 'x' }) })).status).toBe(200)
    expect(provider.asked.times).toBe(times)
  })
})

test('customers of the shop itself, and guests, have nothing to claim', async () => {
  const provider = await identityProvider()
  const shop = await openShop(provider.settings)
  const { token } = await openAccount(shop, 'bob@example.com')
  for (const own of [token, (await guest(shop)).token]) {
    expect(await ask(shop, 'claim-profile', {}, own)).toMatchObject({
      status: 409,
      body: { code: 'token-not-outside' },
    })
  }
})

test('an issuer that is half set is refused at the start', async () => {
  await expect(openShop({ DAYBOOK_ISSUER: issuer })).rejects.toThrow('belong together')
})
