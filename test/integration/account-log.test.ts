import { expect, onTestFinished, test } from 'vitest'
import { startMailServer } from '../mail-server.ts'
import { startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { ask, password, tokenIn } from './account-client.ts'
import { poll } from './poll.ts'
import { guest, shopClient } from './shop-client.ts'

const ada = 'ada@example.com'
const refused = 'eve@example.com'
const delayed = 'bob@example.com'

test('nothing that is logged has a password, a token or an address of an account', async () => {
  const { path: directory, remove } = temporaryDirectory()
  onTestFinished(remove)
  const mails = await startMailServer({
    answerTo: (to) =>
      to === refused ? `550 <${to}>: no such user` : to === delayed ? `450 <${to}>: come again` : '250 OK',
  })
  await using server = startServer({
    directory,
    settings: {
      DAYBOOK_LOG_LEVEL: 'debug',
      DAYBOOK_SMTP_URL: mails.url,
      DAYBOOK_MAIL_FROM: 'shop@example.com',
    },
  })
  const { url, token: adminToken } = await server.ready()
  const shop = shopClient({ url, token: adminToken, sandboxUrl: url })
  /** The token in a mail that was taken; long lines were folded for the way (RFC 2045). */
  const mailed = async (number: number) => {
    const text = await poll(async () => mails.taken[number - 1])
    return tokenIn({ id: '', to: '', subject: '', text: text.replaceAll('=\n', '') })
  }

  const { token: guestToken } = await guest(shop)
  for (const email of [ada, refused, delayed]) await ask(shop, 'register', { email, name: 'Ada' })
  const confirmation = await mailed(1)
  const opened = (await ask(shop, 'confirm', { token: confirmation, password, guestToken })).body
  const wrong = 'a password that is wrong'
  expect((await ask(shop, 'log-in', { email: ada, password: wrong })).status).toBe(401)
  expect((await ask(shop, 'log-in', `{"email":"${ada}","password":"${wrong}`)).status).toBe(400)
  const forged = `${guestToken.slice(0, -4)}AAAA`
  const loggedIn = (await ask(shop, 'log-in', { email: ada, password, guestToken: forged })).body
  await ask(shop, 'forgot-password', { email: ada })
  const reset = await mailed(2)
  const chosen = 'another password, as good'
  expect((await ask(shop, 'reset-password', { token: reset, password: chosen })).status).toBe(201)
  await expect.poll(() => server.output()).toContain('status 550')
  await server.stop()

  const output = server.output()
  expect(output).toContain('a mail was not sent')
  const { token, refreshToken } = loggedIn
  const tokens = [guestToken, forged, confirmation, opened.token, opened.refreshToken, token, refreshToken, reset]
  for (const secret of [ada, refused, delayed, password, wrong, chosen, ...tokens]) {
    expect(secret).toMatch(/.{8}/)
    expect(output).not.toContain(secret)
  }
})
