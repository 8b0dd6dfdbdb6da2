import { announce, element } from './element.ts'
import { settingOf } from './shop.ts'
import { text } from './texts.ts'

/** The mailbox of a test shop: its mails go nowhere else. */

interface Mail {
  readonly subject: string
  readonly text: string
}

const lookEveryMs = 500
const looks = 20

function isMail(value: unknown): value is Mail {
  return typeof value === 'object' && value !== null && 'subject' in value && 'text' in value
}

async function newestMail(to: string, signal: AbortSignal): Promise<Mail | undefined> {
  const address = `${settingOf('daybook-sandbox')}/v1/messages?to=${encodeURIComponent(to)}`
  const body: unknown = await (await fetch(address, { signal })).json()
  if (typeof body !== 'object' || body === null || !('items' in body) || !Array.isArray(body.items)) return undefined
  return body.items.find(isMail)
}

/** A line of a mail; a link to this page can be followed. */
function line(words: string): HTMLElement {
  return element(
    'p',
    {},
    words.startsWith(`${location.origin}/`) ? element('a', { href: words }, text('followLink')) : words,
  )
}

/** Says that a mail was sent, and shows it when it is there. */
export function mailbox(to: string, signal: AbortSignal): HTMLElement {
  const box = element('div', { class: 'state', role: 'status' }, element('p', {}, text('mailSent', { to })))
  async function watch(): Promise<void> {
    for (let look = 0; look < looks && !signal.aborted; look++) {
      const mail = await newestMail(to, signal)
      if (mail) {
        box.append(element('h3', {}, mail.subject), ...mail.text.trim().split(/\n+/).map(line))
        announce(mail.subject)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
    }
  }
  // A shop that sends real mail has no mailbox to look into.
  watch().catch(() => undefined)
  return box
}
