import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { smtpMailGateway } from '../../../src/adapters/smtp/mail-gateway.ts'

const mail = { id: 'mail-1', to: 'ada@example.com', subject: 'Grüße', text: 'Hello Ada,\n\n.a dot\n' }

/** A mail server that takes one mail a connection. @param answerTo what it says to a recipient */
async function mailServer(answerTo = '250 OK') {
  const taken: string[] = []
  const server = createServer((socket) => {
    let isContent = false
    let content = ''
    socket.write('220 mail.example\r\n')
    socket.on('error', () => {})
    socket.on('data', (data) => {
      for (const line of data.toString().split('\r\n').slice(0, -1)) {
        if (isContent && line !== '.') content += `${line}\n`
        else if (isContent) {
          isContent = false
          taken.push(content)
          socket.write('250 OK\r\n')
        } else if (line.startsWith('DATA')) {
          isContent = true
          socket.write('354 Go on\r\n')
        } else socket.write(line.startsWith('RCPT') ? `${answerTo}\r\n` : '250 OK\r\n')
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
  })
  const address = server.address()
  const gateway = smtpMailGateway({
    url: `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    from: 'Teapots <shop@example.com>',
  })
  onTestFinished(() => gateway.close())
  return { gateway, taken, stop: () => server.close() }
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
