import { once } from 'node:events'
import { createServer } from 'node:net'
import { onTestFinished } from 'vitest'

export interface MailServer {
  readonly url: string
  /** The mails that it has taken, as they were sent. */
  readonly taken: readonly string[]
}

/**
 * A mail server (SMTP) that lives as long as the test.
 * @param answerTo what it says to a recipient
 */
export async function startMailServer({
  answerTo = () => '250 OK',
}: {
  readonly answerTo?: (recipient: string) => string
} = {}): Promise<MailServer> {
  const taken: string[] = []
  const server = createServer((socket) => {
    let isContent = false
    let content = ''
    let rest = ''
    socket.write('220 mail.example\r\n')
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const lines = (rest + data.toString()).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (isContent && line !== '.') content += `${line}\n`
        else if (isContent) {
          isContent = false
          taken.push(content)
          content = ''
          socket.write('250 OK\r\n')
        } else if (line.startsWith('DATA')) {
          isContent = true
          socket.write('354 Go on\r\n')
        } else {
          const [, recipient] = /^RCPT TO:<([^>]*)>/.exec(line) ?? []
          socket.write(`${recipient === undefined ? '250 OK' : answerTo(recipient)}\r\n`)
        }
      }
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
  })
  const address = server.address()
  return { url: `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, taken }
}
