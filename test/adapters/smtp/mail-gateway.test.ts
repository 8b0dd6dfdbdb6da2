import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { smtpMailGateway } from '../../../src/adapters/smtp/mail-gateway.ts'
import { startMailServer } from '../../mail-server.ts'

const mail = { id: 'mail-1', to: 'ada@example.com', subject: 'Grüße', text: 'Hello Ada,\n\n.a dot\n' }

async function mailServer(answer?: string) {
  const { url, taken } = await startMailServer(answer === undefined ? {} : { answerTo: () => answer })
  const gateway = smtpMailGateway({ url, from: 'Teapots <shop@example.com>' })
  onTestFinished(() => gateway.close())
  return { gateway, taken }
}

test('A mail is handed over, from the shop and with an id that stays the same', async () => {
  const { gateway, taken } = await mailServer()
  await gateway.send(mail)
  await gateway.send(mail)
  for (const content of taken) {
    expect(content).toContain('From: Teapots <shop@example.com>')
    expect(content).toContain('To: ada@example.com')
    expect(content).toContain('Message-ID: <mail-1@example.com>')
    expect(content).toContain('Hello Ada,')
  }
  expect(taken).toHaveLength(2)
})

test('What the server refuses for good is not to be tried again; what it refuses for now is', async () => {
  const forGood = await mailServer('550 No such user')
  await expect(forGood.gateway.send(mail)).rejects.toMatchObject({ name: 'UndeliverableMailError' })
  const forNow = await mailServer('450 Try later')
  await expect(forNow.gateway.send(mail)).rejects.not.toMatchObject({ name: 'UndeliverableMailError' })
})

test.each(['550 <ada@example.com>: no such user', '450 <ada@example.com>: try later'])(
  'No error tells whom a mail was for, also where the server does: %s',
  async (answer) => {
    const { gateway } = await mailServer(answer)
    const refused = await gateway.send(mail).catch((error: unknown) => error)
    expect(refused).toMatchObject({ message: expect.stringContaining(answer.slice(0, 3)) })
    // Pino writes the causes, too, and what is enumerable.
    expect(inspect(refused, { depth: 10, showHidden: true })).not.toContain('ada@')
  },
)
