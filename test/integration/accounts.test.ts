import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { cart as cartAggregate } from '../../src/domain/cart/cart.ts'
import { ask as engineAsk } from '../../src/engine/command.ts'
import { ask, mailsTo, nextMail, openAccount, password, tokenIn } from './account-client.ts'
import { openShop } from './open-shop.ts'
import { checkOut, fillCart, guest, pay, stock } from './shop-client.ts'

const ada = 'ada@example.com'
const newPassword = 'another horse, another staple'

describe('an account', () => {
  test('is opened by way of a mail, and logged into', async () => {
    const shop = await openShop()
    const asked = await ask(shop, 'register', { email: ada, name: 'Ada Lovelace' })
    expect(asked).toMatchObject({ status: 202, body: { status: 'accepted' } })
    const mail = await nextMail(shop, ada)
    const confirmed = await ask(shop, 'confirm', { token: tokenIn(mail), password })
    expect(confirmed.status).toBe(201)
    const me = await shop.send('GET', '/v1/accounts/me', { token: confirmed.body.token })
    expect(me.body).toEqual({
      customerId: confirmed.body.customerId,
      kind: 'customer',
      registered: true,
      email: ada,
      name: 'Ada Lovelace',
    })
    const loggedIn = await ask(shop, 'log-in', { email: 'ADA@example.com', password })
    expect(loggedIn).toMatchObject({ status: 201, body: { customerId: confirmed.body.customerId, cart: null } })
    const { customerId, token } = loggedIn.body
    expect(await shop.get(`/v1/customers/${customerId}`, token)).toMatchObject({ email: ada, buyer: 'member' })
    // The link is used, and nothing else is a link.
    for (const spent of [tokenIn(mail), `${tokenIn(mail)}x`, token]) {
      expect(await ask(shop, 'confirm', { token: spent, password: newPassword })).toMatchObject({
        status: 409,
        body: { code: 'mail-token-invalid' },
      })
    }
    expect((await ask(shop, 'log-in', { email: ada, password })).status).toBe(201)
  })

  test('of a customer whom the shop has registered before is that customer', async () => {
    const shop = await openShop()
    await shop.post('/v1/customers', { id: 'ada', email: 'Ada@Example.com', name: 'Countess Lovelace' })
    await ask(shop, 'register', { email: ada, name: 'A. L.' })
    const confirm = { token: tokenIn(await nextMail(shop, ada)), password: 'Countess Lovelace' }
    expect((await ask(shop, 'confirm', confirm)).status).toBe(422)
    expect((await ask(shop, 'confirm', { ...confirm, password })).body.customerId).toBe('ada')
  })

  test('links its mails to the page of the shop, with the token behind the #', async () => {
    const shop = await openShop({ DAYBOOK_SHOP_URL: 'https://shop.example/account' })
    await ask(shop, 'register', { email: ada, name: 'Ada Lovelace' })
    const mail = await nextMail(shop, ada)
    expect(mail.text).toContain(`https://shop.example/account#confirm=${tokenIn(mail)}`)
  })

  test('cannot be asked for where the shop sends no mail, and the answer says what to set', async () => {
    const shop = await openShop({ DAYBOOK_GATEWAYS: '' })
    for (const [path, body] of [
      ['register', { email: ada, name: 'Ada' }],
      ['forgot-password', { email: ada }],
    ] as const) {
      const { status, body: problem } = await ask(shop, path, body)
      expect([status, problem.code]).toEqual([409, 'mail-not-set-up'])
      expect(problem.detail).toContain('DAYBOOK_SMTP_URL')
    }
  })

  test.each([
    ['an address that is none', { email: 'ada', name: 'Ada' }],
    ['no name', { email: ada }],
  ])('is not asked for with %s', async (_what, body) => {
    expect((await ask(await openShop(), 'register', body)).status).toBe(422)
  })

  test('has a password of 8 to 200 characters, of any kind, however they are composed', async () => {
    const shop = await openShop()
    await ask(shop, 'register', { email: ada, name: 'Ada Lovelace' })
    const token = tokenIn(await nextMail(shop, ada))
    for (const bad of ['1234567', 'x'.repeat(201)])
      expect((await ask(shop, 'confirm', { token, password: bad })).status).toBe(422)
    expect((await ask(shop, 'confirm', { token, password: 'påsswörd with accents'.normalize('NFD') })).status).toBe(201)
    const composed = { email: ada, password: 'påsswörd with accents'.normalize('NFC') }
    expect((await ask(shop, 'log-in', composed)).status).toBe(201)
  })
})

describe('a session', () => {
  test('goes on with refresh tokens, each of which works once', async () => {
    const shop = await openShop()
    const first = await openAccount(shop, ada)
    const second = (await ask(shop, 'refresh', { refreshToken: first.refreshToken })).body
    const third = (await ask(shop, 'refresh', { refreshToken: second.refreshToken })).body
    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3)
    expect(third).toMatchObject({ sessionId: first.sessionId, customerId: first.customerId })
    expect((await shop.send('GET', '/v1/accounts/me', { token: third.token })).status).toBe(200)
  })

  test('is listed, and ended by the customer alone', async () => {
    const shop = await openShop()
    const phone = await openAccount(shop, ada)
    const laptop = (await ask(shop, 'log-in', { email: ada, password })).body
    const eve = await openAccount(shop, 'eve@example.com')
    const { body } = await shop.send('GET', '/v1/accounts/sessions', { token: laptop.token })
    expect(body.items.map(({ id }: { id: string }) => id).sort()).toEqual([phone.sessionId, laptop.sessionId].sort())
    expect(body.current).toBe(laptop.sessionId)
    const path = `/v1/accounts/sessions/${phone.sessionId}`
    expect((await shop.send('DELETE', path, { token: eve.token })).status).toBe(404)
    expect((await shop.send('GET', '/v1/accounts/me', { token: phone.token })).status).toBe(200)
    expect((await shop.send('DELETE', path, { token: laptop.token })).status).toBe(204)
    expect((await shop.send('GET', '/v1/accounts/me', { token: phone.token })).status).toBe(401)
    expect((await ask(shop, 'refresh', { refreshToken: phone.refreshToken })).status).toBe(401)
    expect((await ask(shop, 'refresh', { refreshToken: laptop.refreshToken })).status).toBe(201)
  })

  test('ends with log-out: by its access token, by its refresh token, or all of them', async () => {
    const shop = await openShop()
    const isOver = async ({ refreshToken }: { refreshToken: string }) =>
      (await ask(shop, 'refresh', { refreshToken })).status === 401
    const one = await openAccount(shop, ada)
    const others = []
    for (let round = 0; round < 3; round++) others.push((await ask(shop, 'log-in', { email: ada, password })).body)
    expect((await ask(shop, 'log-out', {}, one.token)).status).toBe(204)
    expect(await isOver(one)).toBe(true)
    expect((await ask(shop, 'log-out', { refreshToken: others[0].refreshToken })).status).toBe(204)
    expect(await isOver(others[0])).toBe(true)
    expect((await ask(shop, 'log-out', { everywhere: true })).status).toBe(401)
    expect((await ask(shop, 'log-out', { everywhere: true }, others[1].token)).status).toBe(204)
    for (const { token } of others) expect((await shop.send('GET', '/v1/accounts/me', { token })).status).toBe(401)
    expect(await isOver(others[2])).toBe(true)
  })

  test('survives a restart, and tokens of a former secret stay good', async () => {
    const [former, present] = ['a former secret of 32 characters', 'another secret, of 32 characters']
    const before = await openShop({ DAYBOOK_TOKEN_SECRET: former })
    const session = await openAccount(before, ada)
    await before.close()
    const settings = { DAYBOOK_TOKEN_SECRET: present, DAYBOOK_TOKEN_PREVIOUS_SECRETS: former }
    const shop = await openShop(settings, before.directory)
    expect((await shop.send('GET', '/v1/accounts/me', { token: session.token })).status).toBe(200)
    expect((await ask(shop, 'refresh', { refreshToken: session.refreshToken })).status).toBe(201)
    await shop.close()
    const rotated = await openShop({ DAYBOOK_TOKEN_SECRET: present }, before.directory)
    expect((await rotated.send('GET', '/v1/accounts/me', { token: session.token })).status).toBe(401)
  })
})

describe('a password', () => {
  test('that was changed is told by a mail to the address of the account, which gives nothing away', async () => {
    const shop = await openShop()
    const { token } = await openAccount(shop, ada)
    await ask(shop, 'change-password', { password: 'wrong horse', newPassword }, token)
    expect((await ask(shop, 'change-password', { password, newPassword }, token)).status).toBe(204)
    const changed = await nextMail(shop, ada, 2)
    await ask(shop, 'forgot-password', { email: ada })
    const reset = tokenIn(await nextMail(shop, ada, 3))
    expect((await ask(shop, 'reset-password', { token: reset, password })).status).toBe(201)
    const again = await nextMail(shop, ada, 4)
    for (const { subject, text } of [changed, again]) {
      expect(subject).toBe('Your password was changed')
      for (const secret of [password, newPassword, 'eyJ']) expect(text).not.toContain(secret)
    }
    expect((await mailsTo(shop, ada)).map(({ subject }) => subject)).toEqual([
      'Your password was changed',
      'Choose a new password',
      'Your password was changed',
      'Confirm your e-mail address',
    ])
  })

  test('that many people have is refused, wherever one is chosen, and the answer names the field', async () => {
    const shop = await openShop()
    const { token } = await openAccount(shop, ada)
    await ask(shop, 'register', { email: 'bob@example.com', name: 'Bob' })
    await ask(shop, 'forgot-password', { email: ada })
    const [confirm, reset] = [tokenIn(await nextMail(shop, 'bob@example.com')), tokenIn(await nextMail(shop, ada, 2))]
    const common = 'Password123'
    for (const [path, body, field] of [
      ['confirm', { token: confirm, password: common }, 'password'],
      ['reset-password', { token: reset, password: common }, 'password'],
      ['change-password', { password, newPassword: common }, 'newPassword'],
    ] as const) {
      expect(await ask(shop, path, body, path === 'change-password' ? token : '')).toMatchObject({
        status: 422,
        body: {
          code: 'invalid',
          errors: [{ pointer: `#/${field}`, detail: expect.stringContaining('Choose another') }],
        },
      })
    }
    expect((await ask(shop, 'confirm', { token: confirm, password })).status).toBe(201)
    expect((await ask(shop, 'reset-password', { token: reset, password: newPassword })).status).toBe(201)
  })

  test.each(['ada@example.com', 'ada12345', 'Ada Lovelace!', 'aaaaaaaaaa', '        ', 'daybook2026'])(
    'that is guessed from whose and where it is is refused, wherever one is chosen: %j',
    async (guessed) => {
      const shop = await openShop()
      await ask(shop, 'register', { email: ada, name: 'Ada Lovelace' })
      const confirm = tokenIn(await nextMail(shop, ada))
      const refused = (field: string) => ({
        status: 422,
        body: { errors: [{ pointer: `#/${field}`, detail: expect.stringContaining('Choose another') }] },
      })
      expect(await ask(shop, 'confirm', { token: confirm, password: guessed })).toMatchObject(refused('password'))
      const { token } = (await ask(shop, 'confirm', { token: confirm, password })).body
      const change = { password, newPassword: guessed }
      expect(await ask(shop, 'change-password', change, token)).toMatchObject(refused('newPassword'))
      await ask(shop, 'forgot-password', { email: ada })
      const reset = { token: tokenIn(await nextMail(shop, ada, 2)), password: guessed }
      expect(await ask(shop, 'reset-password', reset)).toMatchObject(refused('password'))
      expect((await ask(shop, 'reset-password', { ...reset, password: newPassword })).status).toBe(201)
    },
  )

  test('that is changed ends the other sessions, and needs the present one', async () => {
    const shop = await openShop()
    const here = await openAccount(shop, ada)
    const there = (await ask(shop, 'log-in', { email: ada, password })).body
    const wrong = await ask(shop, 'change-password', { password: 'wrong horse', newPassword }, here.token)
    expect(wrong).toMatchObject({ status: 409, body: { code: 'password-wrong' } })
    expect((await ask(shop, 'change-password', { password, newPassword }, here.token)).status).toBe(204)
    expect((await ask(shop, 'refresh', { refreshToken: there.refreshToken })).status).toBe(401)
    expect((await shop.send('GET', '/v1/accounts/me', { token: there.token })).status).toBe(401)
    expect((await ask(shop, 'refresh', { refreshToken: here.refreshToken })).status).toBe(201)
    expect((await ask(shop, 'log-in', { email: ada, password })).status).toBe(401)
    expect((await ask(shop, 'log-in', { email: ada, password: newPassword })).status).toBe(201)
  })

  test('that was forgotten is chosen anew by a mail, once, and all sessions end', async () => {
    const shop = await openShop()
    const before = await openAccount(shop, ada)
    expect((await ask(shop, 'forgot-password', { email: ada })).status).toBe(202)
    const token = tokenIn(await nextMail(shop, ada, 2))
    expect((await ask(shop, 'confirm', { token, password: newPassword })).status).toBe(409)
    const reset = await ask(shop, 'reset-password', { token, password: newPassword })
    expect(reset).toMatchObject({ status: 201, body: { customerId: before.customerId } })
    expect((await ask(shop, 'refresh', { refreshToken: before.refreshToken })).status).toBe(401)
    expect((await ask(shop, 'reset-password', { token, password: 'a third password' })).status).toBe(409)
    expect((await ask(shop, 'log-in', { email: ada, password: newPassword })).status).toBe(201)
  })
})

describe("a guest's cart", () => {
  test("is the customer's after the log-in, with an address that goes with the customer", async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const cartId = await fillCart(shop, shopper)
    const { customerId, token, cart } = await openAccount(shop, ada, { guestToken: shopper.token })
    expect(cart).toMatchObject({ id: cartId, rule: 'handed-over', added: ['TEAPOT'], raised: [], left: [] })
    const seen = await shop.send('GET', `/v1/carts/${cartId}`, {
      token,
      headers: { 'daybook-position': cart.position },
    })
    expect(seen.body).toMatchObject({ customerId, buyer: 'member', email: ada, total: 5_488 })
    expect((await shop.send('GET', `/v1/carts/${cartId}`, { token: shopper.token })).status).toBe(404)
    await shop.send('POST', `/v1/customers/${shopper.customerId}/forget`, { headers: { 'idempotency-key': 'f' } })
    const orderId = await checkOut(shop, cartId, { token, customerId })
    expect(await pay(shop, orderId, { token, customerId })).toBe(200)
    expect(await shop.get(`/v1/orders/${orderId}`, token)).toMatchObject({
      status: 'confirmed',
      buyer: 'member',
      shippingAddress: { name: 'Ada Lovelace' },
    })
  })

  test("goes into the customer's, where of each SKU the larger number of pieces stays", async () => {
    const shop = await openShop()
    await stock(shop)
    const { token, customerId } = await openAccount(shop, ada)
    const own = await fillCart(shop, { token, customerId }, 1)
    const shopper = await guest(shop)
    const guests = await fillCart(shop, shopper, 3)
    const body = { email: ada, password, guestToken: shopper.token }
    const { cart } = (await ask(shop, 'log-in', body)).body
    expect(cart).toMatchObject({ id: own, rule: 'larger-quantity', added: [], raised: ['TEAPOT'], left: [] })
    const merged = await shop.send('GET', `/v1/carts/${own}`, { token, headers: { 'daybook-position': cart.position } })
    expect(merged.body).toMatchObject({ lines: [{ sku: 'TEAPOT', quantity: 3 }] })
    expect((await ask(shop, 'log-in', body)).body.cart).toBeNull()
    const late = await shop.send('POST', `/v1/carts/${guests}/checkout`, {
      token: shopper.token,
      headers: { 'idempotency-key': 'late' },
    })
    expect(late).toMatchObject({ status: 409, body: { code: 'cart-merged' } })
    expect(await shop.get('/v1/carts', token)).toMatchObject({ items: [{ id: own }] })
  })

  test('that a crash left half way is taken again, and nothing is lost or doubled', async () => {
    const shop = await openShop()
    await stock(shop)
    const { token, customerId } = await openAccount(shop, ada)
    const own = await fillCart(shop, { token, customerId }, 1)
    const shopper = await guest(shop)
    const guests = await fillCart(shop, shopper, 3)
    // The lines were copied, and then the process died.
    const { handler } = shop.daybook.engine
    const { state, revision } = await handler.fold(cartAggregate, guests)
    const content = { fromCartId: guests, fromRevision: revision, lines: [...state.lines] }
    await handler.handle({
      ...engineAsk(cartAggregate, own, 'MergeGuestCart', content),
      id: 'half-way',
      actor: { kind: 'customer', id: customerId },
      correlationId: 'half-way',
    })
    await shop.post(`/v1/carts/${own}/quantity`, { sku: 'TEAPOT', quantity: 2 }, { token })
    const { cart } = (await ask(shop, 'take-cart', { guestToken: shopper.token }, token)).body
    expect(cart).toMatchObject({ id: own, rule: 'larger-quantity', raised: ['TEAPOT'] })
    expect((await handler.fold(cartAggregate, own)).state.lines).toMatchObject([{ sku: 'TEAPOT', quantity: 2 }])
    expect((await handler.fold(cartAggregate, guests)).state.status).toBe('merged')
  })

  test('that was ordered is left alone, and so is a cart that nobody may take', async () => {
    const shop = await openShop()
    await stock(shop)
    const shopper = await guest(shop)
    const orderId = await checkOut(shop, await fillCart(shop, shopper), shopper)
    const { token, cart } = await openAccount(shop, ada, { guestToken: shopper.token })
    expect(cart).toBeNull()
    expect(await shop.get(`/v1/orders/${orderId}`, shopper.token)).toMatchObject({ customerId: shopper.customerId })
    const eve = await openAccount(shop, 'eve@example.com')
    for (const guestToken of [eve.token, 'nonsense']) {
      expect(await ask(shop, 'take-cart', { guestToken }, token)).toMatchObject({
        status: 409,
        body: { code: 'guest-token-invalid' },
      })
    }
    await fillCart(shop, shopper)
    expect((await ask(shop, 'take-cart', { guestToken: shopper.token }, token)).body.cart).toMatchObject({
      rule: 'handed-over',
    })
  })
})

describe('all that is known of a person', () => {
  test('is given to the person, and to staff, and to nobody else', async () => {
    const shop = await openShop()
    await stock(shop)
    const { token, customerId, sessionId } = await openAccount(shop, ada)
    await shop.post(
      `/v1/customers/${customerId}/addresses`,
      { addressId: 'home', country: 'GB', address: home },
      { token },
    )
    const orderId = await checkOut(shop, await fillCart(shop, { token, customerId }), { token, customerId })
    await pay(shop, orderId, { token, customerId })
    await fillCart(shop, { token, customerId }, 1)
    const path = `/v1/customers/${customerId}/export`
    const exported = async () => (await shop.send('GET', path, { token })).body
    await expect.poll(exported).toMatchObject({
      customerId,
      customer: { email: ada, name: 'Ada Lovelace', addresses: [{ addressId: 'home', address: home }] },
      sessions: [{ id: sessionId }],
      carts: [{ lines: [{ sku: 'TEAPOT', quantity: 1 }], shippingAddress: { city: 'Hamburg' } }],
      orders: [
        {
          id: orderId,
          email: ada,
          payments: [{ status: 'captured' }],
          timeline: expect.arrayContaining([expect.objectContaining({ type: 'OrderPaid' })]),
        },
      ],
      next: null,
    })
    expect(JSON.stringify(await exported())).not.toContain('tok_')
    expect((await shop.send('GET', path)).body.customerId).toBe(customerId)
    const eve = await openAccount(shop, 'eve@example.com')
    expect((await shop.send('GET', path, { token: eve.token })).status).toBe(404)
    expect((await shop.send('GET', path, { token: '' })).status).toBe(401)
  })

  test('has all orders, page by page', async () => {
    const shop = await openShop()
    await stock(shop, 100)
    const { token, customerId } = await openAccount(shop, ada)
    for (let round = 0; round < 21; round++)
      await checkOut(shop, await fillCart(shop, { token, customerId }, 1), { token, customerId })
    await shop.get('/v1/orders', token)
    const first = await shop.get(`/v1/customers/${customerId}/export`, token)
    const second = await shop.get(`/v1/customers/${customerId}/export?cursor=${first.next}`, token)
    const ids = [...first.orders, ...second.orders].map(({ id }) => id)
    expect([first.orders.length, new Set(ids).size, second.next]).toEqual([20, 21, null])
  }, 60_000)

  test('goes when they are forgotten: account, sessions and log-in', async () => {
    const shop = await openShop()
    const { token, customerId, refreshToken } = await openAccount(shop, ada)
    const unknown = await ask(shop, 'log-in', { email: 'nobody@example.com', password })
    await shop.post(`/v1/customers/${customerId}/forget`, {}, { token })
    const { correlationId: _one, ...refused } = (await ask(shop, 'log-in', { email: ada, password })).body
    const { correlationId: _other, ...asUnknown } = unknown.body
    expect(refused).toEqual(asUnknown)
    expect((await ask(shop, 'refresh', { refreshToken })).status).toBe(401)
    expect((await shop.send('GET', '/v1/accounts/me', { token })).status).toBe(401)
    const again = await openAccount(shop, ada)
    expect(again.customerId).not.toBe(customerId)
    expect((await mailsTo(shop, ada)).map(({ subject }) => subject)).toEqual(
      Array(2).fill('Confirm your e-mail address'),
    )
  })
})

const home = { name: 'Ada Lovelace', line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH' }

test('an access token of a customer is good for 15 minutes, also one that staff ask for, and one of a guest for longer', async () => {
  const shop = await openShop()
  const { token, expiresAt, customerId } = await openAccount(shop, ada)
  const leftMs = Date.parse(expiresAt) - Date.now()
  expect(leftMs).toBeLessThanOrEqual(900_000)
  const { body } = await shop.send('POST', '/v1/guest-tokens', { token: '' })
  expect(Date.parse(body.expiresAt) - Date.parse(expiresAt)).toBeGreaterThan(86_400_000)
  const { body: byStaff } = await shop.send('POST', `/v1/customers/${customerId}/tokens`)
  expect(Date.parse(byStaff.expiresAt) - Date.now()).toBeLessThanOrEqual(900_000)
  const [header = ''] = token.split('.')
  expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toMatchObject({
    alg: 'HS256',
    kid: expect.any(String),
  })
  const forged = await new SignJWT({ kind: 'customer' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 1))
  expect((await shop.send('GET', '/v1/accounts/me', { token: forged })).status).toBe(401)
})
