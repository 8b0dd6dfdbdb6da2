import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type AccountGuard, type AccountGuardOptions, accountGuard } from '../../accounts/account-guard.ts'
import type { Account } from '../../accounts/account-records.ts'
import type { CommonPasswords } from '../../accounts/common-passwords.ts'
import type { Profile } from '../../accounts/customer-accounts.ts'
import { isGuessable, isPersonal } from '../../accounts/guessable-passwords.ts'
import type { confirmationTokens, resetTokens } from '../../accounts/mail-token.ts'
import { EmailAddress } from '../../domain/values.ts'
import { reject } from '../../engine/errors.ts'
import { derivedId } from '../../engine/streams.ts'
import { type Operation, operation } from '../operation-route.ts'
import { problem, unauthenticated } from '../problems.ts'
import { inBody, invalid } from '../validation.ts'
import { sentByAnyone, sentByShopper } from './asking.ts'
import type { LogIns } from './log-in.ts'
import { GuestToken, LoggedIn, MailedToken, NewPassword, SentPassword } from './schemas.ts'

/** How people get an account, and into it. No answer, status or amount of work tells whether an e-mail address is known. */

export interface AccountOptions extends AccountGuardOptions {
  readonly common: CommonPasswords
  readonly logIns: LogIns
  readonly confirmations: ReturnType<typeof confirmationTokens>
  readonly resets: ReturnType<typeof resetTokens>
  /** Of one network address, for what needs no token. */
  readonly requestsPerMinute: number
}

const Asked = z
  .object({ status: z.literal('accepted').meta({ description: 'Always this', example: 'accepted' }) })
  .meta({ description: 'That it was asked for; what follows is in the mail' })

function wrongPassword() {
  return unauthenticated('log-in-failed', 'E-mail address or password is wrong, or there is no such account.')
}

function tokenNotGood() {
  const detail = 'This link is not good, has expired or was used. Ask for another one.'
  return problem(409, 'mail-token-invalid', detail)
}

/** @throws ProblemError (422) that names the field */
async function assertUncommon(common: CommonPasswords, password: string, field: string): Promise<void> {
  if (!isGuessable(password) && !(await common.has(password))) return
  const detail = 'Many people have such a password, so it is tried first. Choose another one: several words are best.'
  throw invalid([{ detail, ...inBody([field]) }])
}

/**
 * @param profile whose password it becomes, as far as that is known
 * @throws ProblemError (422) that names the field
 */
function assertImpersonal(profile: Profile | undefined, password: string, field: string): void {
  if (profile === undefined || !isPersonal(password, profile)) return
  const detail =
    'This password is your name or e-mail address, so it is tried first. Choose another one: several words are best.'
  throw invalid([{ detail, ...inBody([field]) }])
}

/**
 * Begins a session of an account as it was when somebody showed who they are.
 * @param account undefined where it could not be changed, for somebody else has
 * @throws the refusal when its password was changed meanwhile: whoever did that has ended the sessions that there were, not this one
 */
async function beginAs(
  { accounts, sessions, logIns }: AccountOptions,
  account: Account | undefined,
  asked: Omit<Parameters<LogIns['begin']>[0], 'customerId'>,
  refusal: () => Error,
): Promise<z.output<typeof LoggedIn>> {
  if (account === undefined) throw refusal()
  const { id, customerId, version } = account
  const begun = await logIns.begin({ ...asked, customerId })
  if ((await accounts.find(id))?.version === version) return begun
  await sessions.end(customerId, begun.sessionId)
  throw refusal()
}

function registerOperation(
  { confirmations, texts, accountIdOf, requestsPerMinute }: AccountOptions,
  { mailOrRefuse, takeMail, standing }: AccountGuard,
): Operation {
  return operation({
    name: 'registerAccount',
    path: '/v1/accounts/register',
    summary: 'Ask for an account',
    description:
      'Sends a mail with a link to confirm the address; the password is chosen there, by whoever reads the mail. The answer is the same for every address: who has an account already is told so by mail.',
    ...sentByAnyone,
    requestsPerMinute,
    body: z.object({
      email: EmailAddress,
      name: z.string().trim().min(1).max(200).meta({ description: 'Full name', example: 'Ada Lovelace' }),
    }),
    result: Asked,
    status: 202,
    async run({ body: { email, name }, request }) {
      const mail = mailOrRefuse()
      await takeMail(email, request)
      mail.post(async () => {
        if (await standing(accountIdOf(email))) return texts.alreadyRegistered(email)
        return texts.confirm(email, await confirmations.make({ jti: randomUUID(), email, name }))
      })
      return { status: 'accepted' as const }
    },
  })
}

function confirmOperation(options: AccountOptions, { unlock }: AccountGuard): Operation {
  const { accounts, customers, passwords, common, confirmations, accountIdOf, requestsPerMinute } = options
  return operation({
    name: 'confirmAccount',
    path: '/v1/accounts/confirm',
    summary: 'Confirm an e-mail address and choose a password',
    description:
      'Opens the account and begins a session. A customer whom the shop has registered under this address before gets the account, with all orders. With `guestToken` the open cart of the guest is taken along.',
    ...sentByAnyone,
    requestsPerMinute,
    body: z.object({ token: MailedToken, password: NewPassword, guestToken: GuestToken.exactOptional() }),
    result: LoggedIn,
    status: 201,
    async run({ body: { token, password, guestToken }, request }) {
      await assertUncommon(common, password, 'password')
      const confirmed = await confirmations.read(token)
      if (confirmed === undefined) throw tokenNotGood()
      assertImpersonal(confirmed, password, 'password')
      const id = accountIdOf(confirmed.email)
      const passwordHash = await passwords.hash(password)
      const present = await accounts.find(id)
      if (present && (await customers.isRegistered(present.customerId))) throw tokenNotGood()
      const known = await customers.withAddress(confirmed.email)
      if (known !== undefined) assertImpersonal(await customers.profile(known), password, 'password')
      const customerId = known ?? derivedId('account', confirmed.jti)
      if (known === undefined) await customers.register(customerId, confirmed, request.correlationId)
      const account = await accounts.add({ id, customerId, passwordHash }, present)
      if (account === undefined) throw tokenNotGood()
      await unlock(`mails to ${id}`)
      return await beginAs(options, account, { guestToken, request }, tokenNotGood)
    },
  })
}

function logInOperation(options: AccountOptions, { tryPassword, passed }: AccountGuard): Operation {
  const { accounts, customers, passwords, accountIdOf, requestsPerMinute } = options
  return operation({
    name: 'logIn',
    path: '/v1/accounts/log-in',
    summary: 'Log in',
    description:
      'Begins a session. With `guestToken` the open cart of the guest is taken along. After 10 tries with a wrong password in 15 minutes the account is locked for a while, which doubles with each further try; so is a network address after 100.',
    ...sentByAnyone,
    requestsPerMinute,
    body: z.object({ email: EmailAddress, password: SentPassword, guestToken: GuestToken.exactOptional() }),
    result: LoggedIn,
    status: 201,
    async run({ body: { email, password, guestToken }, request }) {
      const id = accountIdOf(email)
      const account = await accounts.find(id)
      const verdict = await tryPassword(id, request, password, account?.passwordHash)
      if (account === undefined || verdict === 'wrong') throw wrongPassword()
      if (!(await customers.isRegistered(account.customerId))) throw wrongPassword()
      await passed(id, request)
      const isOutdated = verdict === 'outdated'
      const present = isOutdated ? await accounts.setPassword(account, await passwords.hash(password)) : account
      return await beginAs(options, present, { guestToken, request }, wrongPassword)
    },
  })
}

function forgotPasswordOperation(
  { resets, texts, accountIdOf, requestsPerMinute }: AccountOptions,
  { mailOrRefuse, takeMail, standing }: AccountGuard,
): Operation {
  return operation({
    name: 'forgotPassword',
    path: '/v1/accounts/forgot-password',
    summary: 'Ask for a new password',
    description: 'Sends a mail with a link, if the address has an account. The answer is the same for every address.',
    ...sentByAnyone,
    requestsPerMinute,
    body: z.object({ email: EmailAddress }),
    result: Asked,
    status: 202,
    async run({ body: { email }, request }) {
      const mail = mailOrRefuse()
      await takeMail(email, request)
      mail.post(async () => {
        const account = await standing(accountIdOf(email))
        if (account === undefined) return undefined
        return texts.reset(email, await resets.make({ accountId: account.id, version: account.version }))
      })
      return { status: 'accepted' as const }
    },
  })
}

function resetPasswordOperation(
  options: AccountOptions,
  { replacePassword, tellOfNewPassword, unlock, standing }: AccountGuard,
): Operation {
  const { customers, passwords, common, resets, requestsPerMinute } = options
  return operation({
    name: 'resetPassword',
    path: '/v1/accounts/reset-password',
    summary: 'Choose a new password by a link of a mail',
    description:
      'Ends all sessions, unlocks the account and begins a session. The link is good once. A mail says that the password was changed.',
    ...sentByAnyone,
    requestsPerMinute,
    body: z.object({ token: MailedToken, password: NewPassword, guestToken: GuestToken.exactOptional() }),
    result: LoggedIn,
    status: 201,
    async run({ body: { token, password, guestToken }, request }) {
      await assertUncommon(common, password, 'password')
      const reset = await resets.read(token)
      if (reset === undefined) throw tokenNotGood()
      const passwordHash = await passwords.hash(password)
      const account = await standing(reset.accountId)
      if (account?.version !== reset.version) throw tokenNotGood()
      assertImpersonal(await customers.profile(account.customerId), password, 'password')
      const changed = await replacePassword(account, passwordHash)
      if (changed === undefined) throw tokenNotGood()
      tellOfNewPassword(account)
      await unlock(`account ${account.id}`)
      await unlock(`mails to ${account.id}`)
      return await beginAs(options, changed, { guestToken, request }, tokenNotGood)
    },
  })
}

function changePasswordOperation(
  { accounts, customers, passwords, common, requestsPerMinute }: AccountOptions,
  { tryPassword, passed, replacePassword, tellOfNewPassword }: AccountGuard,
): Operation {
  return operation({
    name: 'changePassword',
    path: '/v1/accounts/change-password',
    summary: 'Change the password',
    description: 'Ends all other sessions of the customer. A mail says that the password was changed.',
    ...sentByShopper,
    requestsPerMinute,
    body: z.object({ password: SentPassword, newPassword: NewPassword }),
    status: 204,
    async run({ body: { password, newPassword }, principal, request }) {
      await assertUncommon(common, newPassword, 'newPassword')
      const account = principal.kind === 'customer' ? await accounts.ofCustomer(principal.id) : undefined
      if (account === undefined) throw reject('account-missing', 'There is no account with a password here.')
      assertImpersonal(await customers.profile(account.customerId), newPassword, 'newPassword')
      const verdict = await tryPassword(account.id, request, password, account.passwordHash)
      if (verdict === 'wrong') throw reject('password-wrong', 'The present password is wrong.')
      await passed(account.id, request)
      if (!(await replacePassword(account, await passwords.hash(newPassword), principal.sessionId)))
        throw reject('password-changed', 'The password was changed by somebody else at this moment. Log in anew.')
      tellOfNewPassword(account)
    },
  })
}

/** All of them, with one guard: tries count together, whatever they are for. */
export function accountOperations(options: AccountOptions): readonly Operation[] {
  const guard = accountGuard(options)
  return [
    registerOperation(options, guard),
    confirmOperation(options, guard),
    logInOperation(options, guard),
    forgotPasswordOperation(options, guard),
    resetPasswordOperation(options, guard),
    changePasswordOperation(options, guard),
  ]
}
