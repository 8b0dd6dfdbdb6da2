import { createHmac } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ask, mailsTo, nextMail, openAccount, password, tokenIn } from './account-client.ts'
import { openShop } from './open-shop.ts'
import type { Sent } from './shop-client.ts'

const ada = 'ada@example.com'
const nobody = 'nobody@example.com'
/** The limit of all requests of an address is not what is tried here. */
const open = { DAYBOOK_ACCOUNT_REQUESTS_PER_MINUTE: '100000', DAYBOOK_RATE_LIMIT_PER_MINUTE: '100000' }
/** Lets each request say where it comes from, as a proxy does. */
const behindProxy = { ...open, DAYBOOK_TRUST_PROXY: '1' }

/** What an answer tells: all but what differs from request to request. */
function told({ status, headers, body }: Sent) {
  const { correlationId: _own, ...content } = body ?? {}
  const names = [...headers.keys()].filter((name) => name !== 'connection' && name !== 'keep-alive')
  return { status, names: new Set(names), content, length: JSON.stringify(content).length }
}

/** Runs so many of a thousand at a time. */
async function inTurns<T>(number: number, atOnce: number, run: (turn: number) => Promise<T>): Promise<T[]> {
  const results: T[] = []
  for (let start = 0; start < number; start += atOnce) {
    const turns = Array.from({ length: Math.min(atOnce, number - start) }, (_, turn) => run(start + turn))
    results.push(...(await Promise.all(turns)))
  }
  return results
}

/** How many answers there are of each kind. */
function tally(answers: readonly Sent[]) {
  const kinds = Map.groupBy(answers, ({ status, body }) => `${status} ${body.code}`)
  return Object.fromEntries(Array.from(kinds, ([kind, alike]) => [kind, alike.length]))
}

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a token that was made up', () => {
  test('of another key, without a signature, of an outdated kind or of another purpose opens nothing', async () => {
    const shop = await openShop({ DAYBOOK_TOKEN_SECRET: 'the secret of this shop, 32 bytes' })
    const { token, refreshToken, customerId } = await openAccount(shop, ada)
    const [header = '', payload = '', signature = ''] = token.split('.')
    const fields = JSON.parse(Buffer.from(header, 'base64url').toString())
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const signed = (head: object, body: object, secret: string) => {
      const content = `${encoded(head)}.${encoded(body)}`
      return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`
    }
    const { kid: _kid, ...withoutKid } = fields
    const forged = {
      'another key': signed(fields, claims, 'another secret of thirty-two bytes'),
      'another key id': signed({ ...fields, kid: '00000000' }, claims, 'the secret of this shop, 32 bytes'),
      'no key id': signed(withoutKid, claims, 'the secret of this shop, 32 bytes'),
      'alg none': `${encoded({ ...fields, alg: 'none' })}.${payload}.`,
      'alg None': `${encoded({ ...fields, alg: 'None' })}.${payload}.${signature}`,
      'no signature': `${header}.${payload}.`,
      'a changed subject': `${header}.${encoded({ ...claims, sub: 'eve' })}.${signature}`,
      'a changed expiry': `${header}.${encoded({ ...claims, exp: claims.exp + 86_400 })}.${signature}`,
      'a refresh token': refreshToken,
    }
    for (const [what, bad] of Object.entries(forged)) {
      const answer = await shop.send('GET', '/v1/accounts/me', { token: bad })
      expect([what, answer.status, answer.body.code]).toEqual([what, 401, 'token-invalid'])
      expect((await ask(shop, 'refresh', { refreshToken: bad.slice(0, 200) })).status).toBe(
        bad === refreshToken ? 201 : 401,
      )
    }
    expect((await shop.send('GET', '/v1/accounts/me', { token })).body.customerId).toBe(customerId)
  })
})

test('a refresh token that is used twice ends the session, with its access tokens', async () => {
  const shop = await openShop()
  const { refreshToken: stolen, token } = await openAccount(shop, ada)
  const thief = (await ask(shop, 'refresh', { refreshToken: stolen })).body
  const further = (await ask(shop, 'refresh', { refreshToken: thief.refreshToken })).body
  const replayed = await ask(shop, 'refresh', { refreshToken: stolen })
  expect(replayed).toMatchObject({ status: 401, body: { code: 'refresh-token-invalid' } })
  expect((await ask(shop, 'refresh', { refreshToken: further.refreshToken })).status).toBe(401)
  for (const left of [token, thief.token, further.token])
    expect((await shop.send('GET', '/v1/accounts/me', { token: left })).status).toBe(401)
})

describe('nobody learns whether an address has an account', () => {
  test('by what is answered: log-in, registration, forgotten password, locks', async () => {
    const shop = await openShop(behindProxy)
    await openAccount(shop, ada)
    const both = async (path: string, body: (email: string) => object) => {
      const [known, unknown] = [await ask(shop, path, body(ada)), await ask(shop, path, body(nobody))]
      expect(told(known)).toEqual(told(unknown))
      return known.status
    }
    expect(await both('log-in', (email) => ({ email, password: 'a wrong password' }))).toBe(401)
    expect(await both('forgot-password', (email) => ({ email }))).toBe(202)
    expect(await both('register', (email) => ({ email, name: 'Ada' }))).toBe(202)
    for (let turn = 0; turn < 9; turn++) await both('log-in', (email) => ({ email, password: `wrong ${turn}` }))
    expect(await both('log-in', (email) => ({ email, password: 'a wrong password' }))).toBe(429)
    expect(await both('log-in', (email) => ({ email, password }))).toBe(429)
    for (let turn = 0; turn < 3; turn++) await both('forgot-password', (email) => ({ email }))
    expect(await both('forgot-password', (email) => ({ email }))).toBe(429)
    expect(await both('register', (email) => ({ email, name: 'Ada' }))).toBe(429)
  })

  test('but who reads its mail', async () => {
    const shop = await openShop()
    await openAccount(shop, ada)
    await ask(shop, 'register', { email: ada, name: 'Eve' })
    expect(await nextMail(shop, ada, 2)).toMatchObject({ subject: 'You have an account' })
    await ask(shop, 'forgot-password', { email: nobody })
    await ask(shop, 'register', { email: nobody, name: 'Nobody' })
    expect(await nextMail(shop, nobody)).toMatchObject({ subject: 'Confirm your e-mail address' })
    expect(await mailsTo(shop, nobody)).toHaveLength(1)
  })
})

test('nobody sends words of their own by a mail of the shop', async () => {
  const shop = await openShop()
  const words = 'You have won, see spam.example'
  await ask(shop, 'register', { email: nobody, name: words })
  const mail = await nextMail(shop, nobody)
  expect(`${mail.subject} ${mail.text}`).not.toMatch(/won|spam/)
  const confirmed = (await ask(shop, 'confirm', { token: tokenIn(mail), password })).body
  expect((await shop.send('GET', '/v1/accounts/me', { token: confirmed.token })).body.name).toBe(words)
})

describe('a thousand tries', () => {
  test('of passwords for one account, from everywhere: ten are looked at, and then the right one is refused, too', async () => {
    const shop = await openShop(behindProxy)
    await openAccount(shop, ada)
    const from = (turn: number) => ({ 'x-forwarded-for': `198.51.${turn >> 8}.${turn & 255}` })
    const logIn = (body: object, turn: number, at = shop) =>
      at.send('POST', '/v1/accounts/log-in', { token: '', body, headers: from(turn) })
    // Whose lock is looked at below comes last, for it ends after a minute.
    for (const email of [nobody, ada]) {
      const answers = await inTurns(1_000, 50, (turn) => logIn({ email, password: `guess ${turn}` }, turn))
      expect(tally(answers)).toEqual({ '401 log-in-failed': 10, '429 too-many-attempts': 990 })
      for (const { headers } of answers.filter(({ status }) => status === 429))
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect((await logIn({ email: ada, password }, 2_000)).status).toBe(429)
    await shop.close()
    const restarted = await openShop(behindProxy, shop.directory)
    expect((await logIn({ email: ada, password }, 2_001, restarted)).status).toBe(429)
    // The mail opens what the tries have locked.
    await ask(restarted, 'forgot-password', { email: ada })
    const token = tokenIn(await nextMail(restarted, ada))
    expect((await ask(restarted, 'reset-password', { token, password })).status).toBe(201)
    expect((await logIn({ email: ada, password }, 2_002, restarted)).status).toBe(201)
  }, 120_000)

  test('of one address on a thousand accounts: a hundred are looked at', async () => {
    const shop = await openShop(behindProxy)
    const logIn = (email: string, address: string) =>
      shop.send('POST', '/v1/accounts/log-in', {
        token: '',
        body: { email, password: 'password' },
        headers: { 'x-forwarded-for': address },
      })
    const answers = await inTurns(1_000, 50, (turn) => logIn(`person-${turn}@example.com`, '203.0.113.9'))
    expect(tally(answers)).toEqual({ '401 log-in-failed': 100, '429 too-many-attempts': 900 })
    expect((await logIn('somebody@example.com', '203.0.113.10')).status).toBe(401)
  }, 120_000)

  test('from as many addresses of one IPv6 network: a hundred are looked at', async () => {
    const shop = await openShop(behindProxy)
    const logIn = (turn: number, network = '2001:db8:0:1') =>
      shop.send('POST', '/v1/accounts/log-in', {
        token: '',
        body: { email: `person-${turn}@example.com`, password: 'password' },
        headers: { 'x-forwarded-for': `${network}::${turn.toString(16)}` },
      })
    const answers = await inTurns(110, 50, (turn) => logIn(turn))
    expect(tally(answers)).toEqual({ '401 log-in-failed': 100, '429 too-many-attempts': 10 })
    expect((await logIn(111, '2001:db8:0:2')).status).toBe(401)
  }, 120_000)
})

test('no file has a password, a token or an address of an account that can be read', async () => {
  const shop = await openShop()
  const { refreshToken, token } = await openAccount(shop, ada)
  await ask(shop, 'log-in', { email: ada, password })
  await shop.close()
  const files = readdirSync(shop.directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(shop.directory, name))
    .filter((name) => statSync(name).isFile())
  expect(files.some((name) => name.endsWith('credentials.db'))).toBe(true)
  for (const file of files) {
    const content = readFileSync(file)
    for (const secret of [password, refreshToken, token, ada])
      expect([file, content.includes(secret)]).toEqual([file, false])
  }
})
