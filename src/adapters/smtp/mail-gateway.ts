import { createTransport } from 'nodemailer'
import { type MailGateway, UndeliverableMailError } from '../../workers/mail-gateway.ts'

export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with user and password in it. */
  readonly url: string
  /** Whom mails are from: `Teapots <shop@example.com>`. */
  readonly from: string
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 20_000
const connections = 2

function isRefusedForGood(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'responseCode' in error ? error.responseCode : undefined
  return typeof code === 'number' && code >= 500 && code < 600
}

/** Hands mails over to a server by SMTP (RFC 5321); what it answers with 5xx is refused for good. */
export function smtpMailGateway({ url, from, timeoutMs = defaultTimeoutMs }: SmtpOptions): MailGateway {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: connections,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = /@([^>\s]+)/.exec(from)?.[1] ?? 'localhost'
  return {
    async send({ id, to, subject, text }) {
      try {
        await transport.sendMail({ from, to: { name: '', address: to }, subject, text, messageId: `<${id}@${domain}>` })
      } catch (error) {
        if (!isRefusedForGood(error)) throw error
        throw new UndeliverableMailError('The mail server has refused a mail for good', { cause: error })
      }
    },
    async close() {
      transport.close()
    },
  }
}
