import { shortestPassword } from './passwords.ts'

/** Passwords that many people have, which are those that are tried first (NIST SP 800-63B-4, section 3.1.1.2). */
export interface CommonPasswords {
  /** Whether a password is one of them, however it is written large or small. */
  has(password: string): Promise<boolean>
}

/** The list is loaded when it is asked for first: most processes never need it. */
export function commonPasswords(): CommonPasswords {
  let list: Promise<ReadonlySet<string>> | undefined

  async function load(): Promise<ReadonlySet<string>> {
    const { dictionary } = await import('@zxcvbn-ts/language-common')
    return new Set(dictionary['passwords-common'].filter(({ length }) => length >= shortestPassword))
  }

  return {
    async has(password) {
      list ??= load()
      return (await list).has(password.normalize('NFKC').toLowerCase())
    },
  }
}
