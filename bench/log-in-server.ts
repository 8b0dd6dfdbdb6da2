import { z } from 'zod'
import type { Mail } from '../src/accounts/mail-gateway.ts'
import { readConfig } from '../src/config.ts'
import { daybook } from '../src/daybook.ts'
import { answerParent } from './child.ts'

/** A shop with accounts, as a process of its own: it reads its own mail. */

const Question = z.object({ emails: z.array(z.string()), password: z.string() })

const mails = new Map<string, (mail: Mail) => void>()
const shop = await daybook({
  config: readConfig(),
  mail: { send: async (mail) => mails.get(mail.to)?.(mail), close: async () => {} },
})
const { url } = await shop.listen()

async function ask(path: string, body: object): Promise<void> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/v1/accounts/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path} was answered ${answer.status} ${await answer.text()}`)
}

async function openAccount(email: string, password: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<Mail>()
  mails.set(email, resolve)
  await ask('register', { email, name: 'Ada Lovelace' })
  // A shop without a page of its own sends the token alone, on a line.
  const token = (await promise).text.split('\n').find((line) => /^eyJ\S+$/.test(line))
  await ask('confirm', { token, password })
}

answerParent(async (question) => {
  const { emails, password } = Question.parse(question)
  for (const email of emails) await openAccount(email, password)
  return url
}, shop.close)
