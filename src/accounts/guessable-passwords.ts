import type { Profile } from './customer-accounts.ts'

/** Passwords that follow from where and whose they are (NIST SP 800-63B-4, section 3.1.1.2: words of the context). */

const service = 'daybook'
/** With so many digits and marks behind it a word is guessed all the same. */
const behind = /^[\p{N}\p{P}\p{S}]{0,8}$/u

/** As it is compared: case and spaces count for nothing. */
function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, '')
}

function isMadeOf(word: string, password: string): boolean {
  const [wanted, sent] = [plain(word), plain(password)]
  return wanted !== '' && sent.startsWith(wanted) && behind.test(sent.slice(wanted.length))
}

/** Whether a password is one character repeated, or Daybook's own name, also with up to eight digits and marks behind it. */
export function isGuessable(password: string): boolean {
  return new Set(plain(password)).size <= 1 || isMadeOf(service, password)
}

/** Whether a password is somebody's e-mail address, what stands before its @, or name, also with up to eight digits and marks behind it. */
export function isPersonal(password: string, { email, name }: Profile): boolean {
  return [email, email.slice(0, email.lastIndexOf('@')), name].some((word) => isMadeOf(word, password))
}
