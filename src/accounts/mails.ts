import { randomUUID } from 'node:crypto'
import type { Mail } from './mail-gateway.ts'

/** What the mails of accounts say: nothing that whoever asked for one has written, for it goes to anybody in the shop's name. */

export interface MailTexts {
  confirm(to: string, token: string): Mail
  alreadyRegistered(to: string): Mail
  reset(to: string, token: string): Mail
  passwordChanged(to: string): Mail
}

function mail(to: string, subject: string, ...paragraphs: readonly string[]): Mail {
  return { id: randomUUID(), to, subject, text: `${paragraphs.join('\n\n')}\n` }
}

/**
 * @param shopUrl page of the shop, which finds the token behind the `#`, where no server and no other page sees it; without it
 *   mails have the token alone
 */
export function mailTexts(shopUrl: string | undefined): MailTexts {
  function linked(purpose: string, token: string): string {
    if (shopUrl === undefined) return token
    const url = new URL(shopUrl)
    url.hash = `${purpose}=${token}`
    return url.href
  }

  return {
    confirm: (to, token) =>
      mail(
        to,
        'Confirm your e-mail address',
        'To open your account, confirm that this e-mail address is yours and choose a password:',
        linked('confirm', token),
        'This is good for a day. If you did not ask for an account, do nothing: then there will be none.',
      ),

    alreadyRegistered: (to) =>
      mail(
        to,
        'You have an account',
        'Somebody, probably you, wanted to open an account with this e-mail address. There is one already: log in with it, or ask for a new password if you have forgotten yours.',
        'If it was not you, do nothing: nobody was told that you have an account.',
      ),

    reset: (to, token) =>
      mail(
        to,
        'Choose a new password',
        'To choose a new password for your account, go here:',
        linked('reset', token),
        'This is good for an hour, and once. If you did not ask for it, do nothing: your password stays as it is.',
      ),

    passwordChanged: (to) =>
      mail(
        to,
        'Your password was changed',
        'The password of your account was changed just now, and everybody else who was logged in was logged out.',
        'If it was you, there is nothing to do. If it was not, ask the shop for a new password at once, as you would if you had forgotten yours: the mail that you get then is for you alone. And see to it that nobody else can read your mail.',
      ),
  }
}
