import { reject, UnavailableError } from '../engine/errors.ts'
import type { Account, AccountRecords } from './account-records.ts'
import type { Attempts } from './attempts.ts'
import type { Customers } from './customer-accounts.ts'
import type { MailQueue } from './mail-queue.ts'
import type { MailTexts } from './mails.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'

/** What all ways into an account have to heed: how often somebody may try, and which sessions a password ends. */

export interface AccountGuardOptions {
  readonly accounts: AccountRecords
  readonly customers: Customers
  readonly passwords: Passwords
  readonly attempts: Attempts
  readonly sessions: Sessions
  /** Undefined where the shop sends no mail. */
  readonly mail: MailQueue | undefined
  readonly texts: MailTexts
  /** The id of the account of an e-mail address. */
  readonly accountIdOf: (email: string) => string
}

/** Who tries. */
export interface Caller {
  /** Network address; of IPv6 the network (a /64). */
  readonly address: string
}

export type AccountGuard = ReturnType<typeof accountGuard>

const windowMs = 900_000
/** Tries with a wrong password. */
const ofAccount = { limit: 10, windowMs }
const ofAddress = { limit: 100, windowMs }
/** Mails that somebody can have sent to one address, and from one. */
const mailsTo = { limit: 5, windowMs: 3_600_000 }
const mailsFrom = { limit: 50, windowMs }

/** @returns functions that throw what the shopper is answered with */
export function accountGuard(options: AccountGuardOptions) {
  const { accounts, customers, passwords, attempts, sessions, accountIdOf } = options

  function mailOrRefuse(): MailQueue {
    if (options.mail) return options.mail
    throw reject(
      'mail-not-set-up',
      'This shop sends no mail yet, which this needs. Whoever runs it sets DAYBOOK_SMTP_URL and DAYBOOK_MAIL_FROM.',
    )
  }

  /**
   * Compares a password, as a try that counts by account and by network address.
   * @throws TooManyAttemptsError after too many; UnavailableError, and then it does not count
   */
  async function tryPassword(
    account: string,
    { address }: Caller,
    ...[password, kept]: Parameters<Passwords['verify']>
  ): ReturnType<Passwords['verify']> {
    await attempts.take(`address ${address}`, ofAddress)
    await attempts.take(`account ${account}`, ofAccount)
    try {
      return await passwords.verify(password, kept)
    } catch (error) {
      await attempts.giveBack(`account ${account}`)
      await attempts.giveBack(`address ${address}`)
      throw error
    }
  }

  async function passed(account: string, { address }: Caller): Promise<void> {
    await attempts.clear(`account ${account}`)
    await attempts.giveBack(`address ${address}`)
  }

  /**
   * Sets a new password, and ends the sessions of the old one: before, so that none is left should the process die or the store be
   * lost right after it, and after, for those that began meanwhile.
   * @param except the session that stays
   * @returns the account as it is then; undefined when the password was changed by somebody else
   */
  async function replacePassword(
    account: Account,
    passwordHash: string,
    except?: string,
  ): Promise<Account | undefined> {
    await sessions.endAll(account.customerId, except)
    const changed = await accounts.setPassword(account, passwordHash)
    if (changed) await sessions.endAll(account.customerId, except)
    return changed
  }

  /** Tells the customer, who may not be the one who changed it. Where the shop sends no mail, nobody is told. */
  function tellOfNewPassword({ customerId }: Account): void {
    options.mail?.tell(async () => {
      const profile = await customers.profile(customerId)
      return profile && options.texts.passwordChanged(profile.email)
    })
  }

  /** Forgets tries after what they were for is done: a lock that can't be taken away now ends by itself. */
  async function unlock(name: string): Promise<void> {
    try {
      await attempts.clear(name)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
    }
  }

  async function takeMail(email: string, { address }: Caller): Promise<void> {
    await attempts.take(`mails from ${address}`, mailsFrom)
    await attempts.take(`mails to ${accountIdOf(email)}`, mailsTo)
  }

  /** An account whose customer was not forgotten. */
  async function standing(accountId: string) {
    const account = await accounts.find(accountId)
    return account && (await customers.isRegistered(account.customerId)) ? account : undefined
  }

  return { mailOrRefuse, tryPassword, passed, replacePassword, tellOfNewPassword, unlock, takeMail, standing }
}
