import { describe, expect, test } from 'vitest'
import {
  createClient,
  ProblemError,
  type Session,
  type SessionStore,
  UnreachableError,
} from '../../src/client/client.ts'
import { nextMail, openAccount, password, tokenIn } from '../integration/account-client.ts'
import { openShop } from '../integration/open-shop.ts'
import { stock } from '../integration/shop-client.ts'
import { lossyProxy } from './lossy-proxy.ts'

const soon = { pauseMs: 1 }
const email = 'ada@example.com'
const notGood = 'a-token-that-has-expired'

/** Keeps a session where a test can see and change it, for several pages at once. */
function sharedStore() {
  let kept: Session | undefined
  let last: Promise<unknown> = Promise.resolve()
  return {
    read: () => kept,
    write(session: Session | undefined) {
      kept = session
    },
    exclusively<T>(work: () => Promise<T>): Promise<T> {
      const mine = last.then(work)
      last = mine.catch(() => undefined)
      return mine
    },
    /** The access token expires, as far as the shop is concerned. */
    expire(): void {
      if (kept) kept = { ...kept, token: notGood }
    },
  } satisfies SessionStore & { expire(): void }
}

function unlockedStore(): SessionStore {
  const { read, write } = sharedStore()
  return { read, write }
}

/** A shop with an account, and a client that is logged in through a proxy. */
async function loggedIn(fates: Parameters<typeof lossyProxy>[1] = []) {
  const shop = await openShop()
  await openAccount(shop, email)
  const proxy = await lossyProxy(shop.url, fates)
  const store = sharedStore()
  const client = createClient({ url: proxy.url, sessionStore: store, retry: soon })
  await client.logIn({ email, password })
  const refreshes = () => proxy.seen.filter(({ path }) => path === '/v1/accounts/refresh').length
  return { shop, proxy, store, client, refreshes }
}

test('A token that has expired is refreshed once, however many requests find out', async () => {
  const { store, client, refreshes } = await loggedIn()
  const before = store.read()
  store.expire()
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => client.get('/v1/accounts/me')))
  expect(answers.map((each) => each.email)).toEqual(Array.from({ length: 5 }, () => email))
  expect(refreshes()).toBe(1)
  expect(store.read()?.refreshToken).not.toBe(before?.refreshToken)
  await client.get('/v1/accounts/me')
  expect(refreshes()).toBe(1)
})

test('A token that has expired by the clock here is refreshed before it is sent', async () => {
  const { store, client, proxy, refreshes } = await loggedIn()
  const session = store.read()
  if (session) store.write({ ...session, expiresAt: new Date(0).toISOString() })
  await Promise.all([client.get('/v1/accounts/me'), client.get('/v1/accounts/me')])
  expect(refreshes()).toBe(1)
  expect(proxy.seen.map(({ path }) => path)).toEqual([
    '/v1/accounts/log-in',
    '/v1/accounts/refresh',
    '/v1/accounts/me',
    '/v1/accounts/me',
  ])
})

test('A clock that is ahead of the shop costs one refresh, not one for each request', async () => {
  const paths: string[] = []
  const long = { customerId: 'c', token: 't', refreshToken: 'r', expiresAt: new Date(0).toISOString() }
  const store = sharedStore()
  store.write({ kind: 'customer', ...long })
  const client = createClient({
    url: 'http://shop.example',
    sessionStore: store,
    fetch: async ({ url }) => {
      paths.push(new URL(url).pathname)
      return Response.json(url.endsWith('/refresh') ? { ...long, token: `t${paths.length}` } : { items: [] })
    },
  })
  for (let asked = 0; asked < 3; asked++) await client.get('/v1/carts')
  expect(paths.filter((path) => path === '/v1/accounts/refresh')).toHaveLength(1)
})

test('A guest whose token has expired becomes another guest', async () => {
  const shop = await openShop()
  const store = sharedStore()
  store.write({ kind: 'guest', customerId: 'gone', token: 'old', expiresAt: new Date(0).toISOString() })
  const client = createClient({ url: shop.url, sessionStore: store })
  expect((await client.guest()).customerId).not.toBe('gone')
})

test('Pages that share a session refresh it one after the other, and the second takes what the first one got', async () => {
  const { proxy, store, client, refreshes } = await loggedIn()
  const other = createClient({ url: proxy.url, sessionStore: store, retry: soon })
  store.expire()
  await Promise.all([client.get('/v1/accounts/me'), other.get('/v1/accounts/me')])
  expect(refreshes()).toBe(1)
})

test('A refresh whose answer got lost is asked for again', async () => {
  const { store, client, refreshes } = await loggedIn(['pass', 'pass', 'lose-answer'])
  store.expire()
  expect(await client.get('/v1/accounts/me')).toMatchObject({ email })
  expect(refreshes()).toBe(2)
})

test('A session that the shop has ended is no more, and that is said', async () => {
  const { shop, store, client } = await loggedIn()
  const { token, customerId } = store.read() ?? { token: '', customerId: '' }
  await shop.send('POST', '/v1/accounts/log-out', { token, body: { everywhere: true } })
  const refused = await client.get('/v1/accounts/me').catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(ProblemError)
  expect(refused).toMatchObject({ status: 401 })
  expect(client.session()).toBeUndefined()
  // The next visit is that of a new guest.
  expect((await client.guest()).customerId).not.toBe(customerId)
})

test('A session stays where a refresh fails for another reason', async () => {
  const { store, client } = await loggedIn([
    'pass',
    'pass',
    ...Array.from({ length: 9 }, () => 'lose-request' as const),
  ])
  store.expire()
  await expect(client.get('/v1/accounts/me')).rejects.toThrow('can’t be reached')
  expect(client.session()).toMatchObject({ kind: 'customer' })
})

/** A client whose session has expired, and whose refresh is answered when the test says so. */
async function refreshing(store: SessionStore) {
  const asked = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const told: string[] = []
  const tokens = (of: string) => ({
    customerId: of,
    token: of,
    refreshToken: of,
    expiresAt: '2999-01-01T00:00:00.000Z',
  })
  store.write({ kind: 'customer', ...tokens('old'), expiresAt: new Date(0).toISOString() })
  const client = createClient({
    url: 'http://shop.example',
    sessionStore: store,
    fetch: async (request) => {
      const { pathname } = new URL(request.url)
      if (pathname.endsWith('/log-out')) told.push(await request.text())
      if (pathname.endsWith('/log-in')) return Response.json(tokens('other'))
      if (!pathname.endsWith('/refresh')) return Response.json({ items: [] })
      asked.resolve()
      await answered.promise
      return Response.json(tokens('new'))
    },
  })
  const reading = client.get('/v1/carts')
  await asked.promise
  return { client, reading, answer: answered.resolve, told }
}

describe.each([
  ['with a lock', sharedStore],
  ['without a lock', unlockedStore],
] as const)('A session that is refreshed, %s', (_lock, makeStore) => {
  test('does not come back when somebody logs out meanwhile', async () => {
    const store = makeStore()
    const { client, reading, answer, told } = await refreshing(store)
    const loggedOut = client.logOut()
    expect(store.read()).toBeUndefined()
    answer()
    await Promise.all([reading, loggedOut])
    expect(store.read()).toBeUndefined()
    expect(told).toEqual(['{"refreshToken":"old"}'])
  })

  test('does not replace one that began meanwhile', async () => {
    const store = makeStore()
    const { client, reading, answer } = await refreshing(store)
    await client.logIn({ email, password })
    answer()
    await reading
    expect(store.read()).toMatchObject({ customerId: 'other' })
  })
})

test('What would be refused the second time is sent once, and nobody takes a success for a failure', async () => {
  const shop = await openShop()
  await openAccount(shop, email)
  const { url, seen } = await lossyProxy(shop.url, ['pass', 'lose-answer', 'pass', 'lose-answer'])
  const client = createClient({ url, retry: soon })
  await client.post('/v1/accounts/forgot-password', { body: { email } })
  const by = { token: tokenIn(await nextMail(shop, email, 2)), password: 'another password' }
  await expect(client.resetPassword(by)).rejects.toThrow(UnreachableError)
  await client.logIn({ email, password: by.password })
  // To log out may be asked for twice.
  await client.logOut()
  expect(seen.map(({ path, key }) => [path.replace('/v1/accounts/', ''), key !== undefined])).toEqual([
    ['forgot-password', false],
    ['reset-password', false],
    ['log-in', false],
    ['log-out', true],
    ['log-out', true],
  ])
})

test('The cart of a guest is taken along, and seen at once', async () => {
  const shop = await openShop()
  await stock(shop)
  await openAccount(shop, email)
  const client = createClient({ url: shop.url })
  await client.guest()
  const { id } = await client.post('/v1/carts', { body: { currency: 'EUR' } })
  const body = { productId: 'teapot', sku: 'TEAPOT', quantity: 2 }
  await client.post('/v1/carts/{cartId}/lines', { path: { cartId: id }, body })
  const taken = await client.logIn({ email, password })
  expect(taken).toMatchObject({ rule: 'handed-over' })
  expect(client.session()).toMatchObject({ kind: 'customer' })
  expect((await client.get('/v1/carts')).items).toMatchObject([{ id: taken?.id, lines: [{ quantity: 2 }] }])

  await client.logOut()
  expect(client.session()).toBeUndefined()
  await expect(client.get('/v1/accounts/me')).rejects.toMatchObject({ status: 401, code: 'token-required' })
})

test('An account is opened by the token of a mail', async () => {
  const shop = await openShop()
  const client = createClient({ url: shop.url })
  await client.post('/v1/accounts/register', { body: { email, name: 'Ada Lovelace' } })
  expect(await client.confirm({ token: tokenIn(await nextMail(shop, email)), password })).toBeNull()
  expect(await client.get('/v1/accounts/me')).toMatchObject({ email, kind: 'customer' })
  await expect(client.logIn({ email, password: 'wrong' })).rejects.toMatchObject({ code: 'log-in-failed' })
  expect(client.session()).toMatchObject({ kind: 'customer' })
})
