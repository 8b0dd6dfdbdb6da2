import { createTransport } from 'nodemailer'
import { z } from 'zod'
import { type MailGateway, UndeliverableMailError } from '../../accounts/mail-gateway.ts'

export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with user and password in it. */
  readonly url: string
  /** Whom mails are from: `Teapots <shop@example.com>`. */
  readonly from: string
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 20_000
const connections = 2

/** The mail server did not take a mail, for now. */
class SmtpError extends Error {
  override readonly name = 'SmtpError'
}

/** Of a failure, what says nothing of the mail: its kind, and the status of the answer (RFC 5321, 4.2). */
const Failure = z
  .object({
    code: z
      .string()
      .regex(/^[A-Z_]+$/)
      .optional()
      .catch(undefined),
    responseCode: z.int().optional().catch(undefined),
  })
  .catch({})

/** What the server says in words is left out, and kept as no cause: it names whom the mail is for, and errors are logged. */
function withoutMail(error: unknown): Error {
  const { code = 'no code', responseCode: status } = Failure.parse(error)
  const reason = status === undefined ? code : `${code}, status ${status}`
  if (status !== undefined && status >= 500 && status < 600)
    return new UndeliverableMailError(`The mail server has refused a mail for good: ${reason}`)
  return new SmtpError(`The mail server did not take a mail: ${reason}`)
}

/** Hands mails over to a server by SMTP (RFC 5321); what it answers with 5xx is refused for good. No error names an address. */
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
        throw withoutMail(error)
      }
    },
    async close() {
      transport.close()
    },
  }
}
