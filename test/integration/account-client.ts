import { z } from 'zod'
import { poll } from './poll.ts'
import type { Sent, ShopClient } from './shop-client.ts'

/** What tests do with customers' accounts, with the mails that the sandbox keeps. */

export interface Message {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly text: string
}

const Messages = z.object({
  items: z.array(z.object({ id: z.string(), to: z.string(), subject: z.string(), text: z.string() })),
})

export const password = 'correct horse battery staple'

/** The mails to an address so far, the newest first. */
export async function mailsTo(shop: ShopClient, to: string): Promise<readonly Message[]> {
  const answer = await fetch(`${shop.sandboxUrl}/v1/messages?to=${encodeURIComponent(to)}`)
  return Messages.parse(await answer.json()).items
}

/** The newest mail to an address, once there are so many. */
export async function nextMail(shop: ShopClient, to: string, number = 1): Promise<Message> {
  return await poll(async () => {
    const mails = await mailsTo(shop, to)
    return mails.length >= number ? mails[0] : undefined
  })
}

/** The token in a mail: it stands alone on a line, or behind the `=` of a link. */
export function tokenIn({ text }: Message): string {
  const [token] = /[\w-]+(\.[\w-]*){4}$/m.exec(text) ?? []
  if (token === undefined) throw new Error(`There is no token in: ${text}`)
  return token
}

/** Sends a request of a page, without a token of staff. */
export async function ask(shop: ShopClient, path: string, body?: unknown, token = ''): Promise<Sent> {
  return await shop.send('POST', `/v1/accounts/${path}`, { token, ...(body !== undefined && { body }) })
}

/** Opens an account, by way of the mail. @returns what a log-in answers */
export async function openAccount(shop: ShopClient, email: string, rest: object = {}): Promise<Sent['body']> {
  const before = (await mailsTo(shop, email)).length
  await ask(shop, 'register', { email, name: 'Ada Lovelace' })
  const token = tokenIn(await nextMail(shop, email, before + 1))
  return (await ask(shop, 'confirm', { token, password, ...rest })).body
}
