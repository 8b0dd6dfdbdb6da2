import type { MailGateway } from '../../accounts/mail-gateway.ts'

/** Puts mails into the mailbox of a sandbox, where `GET /v1/messages?to=` shows them; nothing is sent. */
export function sandboxMailGateway({
  url,
  timeoutMs,
}: {
  readonly url: string
  readonly timeoutMs: number
}): MailGateway {
  return {
    async send(mail) {
      const answer = await fetch(new URL('/v1/messages', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(mail),
        signal: AbortSignal.timeout(timeoutMs),
      })
      await answer.arrayBuffer()
      if (!answer.ok) throw new Error(`The sandbox does not take mail: ${answer.status}`)
    },
    async close() {},
  }
}
