import { describe, expect, test } from 'vitest'
import { accountRecords } from '../../../src/accounts/account-records.ts'
import { attempts } from '../../../src/accounts/attempts.ts'
import { commonPasswords } from '../../../src/accounts/common-passwords.ts'
import { endedSessions } from '../../../src/accounts/ended-sessions.ts'
import { confirmationTokens, resetTokens } from '../../../src/accounts/mail-token.ts'
import { mailTexts } from '../../../src/accounts/mails.ts'
import { passwords } from '../../../src/accounts/passwords.ts'
import { refreshTokens } from '../../../src/accounts/refresh-token.ts'
import { sessions } from '../../../src/accounts/sessions.ts'
import { memoryCredentialStore } from '../../../src/adapters/memory/credential-store.ts'
import { accountOperations } from '../../../src/api/accounts/account-operations.ts'
import { problemOf } from '../../../src/api/problems.ts'
import { anonymous, type Principal } from '../../../src/engine/access.ts'
import type { Credential, Durability } from '../../../src/engine/credential-store.ts'
import { UnavailableError } from '../../../src/engine/errors.ts'
import { manualClock } from '../../manual-clock.ts'

const unused = () => {
  throw new Error('It is not asked for')
}

/** The operations of accounts, with a list of what they do on the way: reads, writes, and passwords that are compared. */
async function watched() {
  const clock = manualClock()
  const kept = memoryCredentialStore()
  const steps: string[] = []
  /** What waits for the disk. */
  const durable: string[] = []
  /** What happens besides, at a moment that a test chooses. */
  const meanwhile: {
    isLost?: boolean
    isLockKept?: boolean
    compared?(): Promise<void>
    begun?(): Promise<void>
    asked?(): Promise<void>
  } = {}
  const forgotten = new Set<string>()
  let isLost = false
  const reachable = () => {
    if (isLost) throw new UnavailableError('credentials-unavailable', 'Try again')
  }
  const store = {
    ...kept,
    remove: async (kind: string, id: string, durability?: Durability) => {
      reachable()
      if (durability !== 'normal') durable.push(`remove ${kind}`)
      if (kind === 'attempts' && meanwhile.isLockKept)
        throw new UnavailableError('credentials-unavailable', 'Try again')
      await kept.remove(kind, id)
    },
    ofOwner: async (...asked: Parameters<typeof kept.ofOwner>) => {
      reachable()
      return await kept.ofOwner(...asked)
    },
    find: (kind: string, id: string) => {
      steps.push(`find ${kind}`)
      return kept.find(kind, id)
    },
    write: async (credential: Credential, durability?: Durability) => {
      reachable()
      if (durability !== 'normal') durable.push(`write ${credential.kind}`)
      steps.push(`write ${credential.kind}`)
      const isWritten = await kept.write(credential)
      if (credential.kind === 'account' && meanwhile.isLost) isLost = true
      return isWritten
    },
  }
  const hashing = passwords()
  const mailed = { key: new Uint8Array(32), clock }
  const posted: unknown[] = []
  const accounts = accountRecords(store, clock)
  const ended = endedSessions({ store, clock, onFailure: unused })
  const times = { lifetimeMs: 1, idleMs: 1 }
  const held = sessions({ store, tokens: refreshTokens(new Uint8Array(32)), ended, clock, ...times })
  const resets = resetTokens(mailed)
  const confirmations = confirmationTokens(mailed)
  const operations = accountOperations({
    accounts,
    customers: {
      register: async () => {},
      withAddress: async () => undefined,
      isRegistered: async (id) => {
        const isRegistered = !forgotten.has(id)
        await meanwhile.asked?.()
        return isRegistered
      },
      profile: async () => ({ email: 'ada@example.com', name: 'Ada' }),
    },
    passwords: {
      hash: hashing.hash,
      verify: async (password, hash) => {
        steps.push('compare a password')
        if (password === 'while busy') throw new UnavailableError('log-in-busy', 'Try again')
        const verdict = await hashing.verify(password, hash)
        await meanwhile.compared?.()
        return password === 'a password that costs too little' ? 'outdated' : verdict
      },
    },
    attempts: attempts({ store, clock, hash: (name) => name }),
    sessions: held,
    logIns: {
      async begin({ customerId }) {
        const { session, refreshToken } = await held.begin(customerId)
        await meanwhile.begun?.()
        const expiresAt = new Date(session.expiresAt).toISOString()
        const tokens = { token: '', expiresAt, refreshToken, refreshExpiresAt: expiresAt }
        return { customerId, sessionId: session.id, ...tokens, cart: null }
      },
      tokensOf: unused,
      takeCart: unused,
    },
    confirmations,
    resets,
    texts: mailTexts(undefined),
    common: commonPasswords(),
    mail: { post: (make) => posted.push(make), tell: (make) => posted.push(make), close: async () => {} },
    accountIdOf: (email) => email,
    requestsPerMinute: 1,
  })
  await accounts.add({ id: 'ada@example.com', customerId: 'ada', passwordHash: await hashing.hash('a password') })

  /** What an operation does for an address, and how it answers. */
  async function done(name: string, body: object, principal: Principal = anonymous) {
    steps.length = 0
    const request = { address: '203.0.113.1', correlationId: 'test-0001', headers: {} }
    const asked = { parameters: {}, body, principal, request }
    const answer = await operations
      .find((each) => each.name === name)
      ?.run(asked)
      .catch((error: unknown) => problemOf(error).code)
    return { steps: [...steps], answer, mails: posted.splice(0).length }
  }
  async function setPassword(password: string): Promise<void> {
    const account = await accountRecords(kept, clock).find('ada@example.com')
    if (account) await accountRecords(kept, clock).setPassword(account, await hashing.hash(password))
  }
  const sessionsOf = async (owner: string) => (await kept.ofOwner('session', owner, 10)).map(({ id }) => id)
  return { done, held, resets, confirmations, forgotten, meanwhile, setPassword, sessionsOf, steps, durable }
}

describe('the same is done for an address with an account and for one without', () => {
  test.each([
    ['logIn', { password: 'a wrong password' }, ['compare a password']],
    ['forgotPassword', {}, []],
    ['registerAccount', { name: 'Ada' }, []],
  ])('by %s, before it is answered', async (name, rest, wanted) => {
    const { done } = await watched()
    const known = await done(name, { email: 'ada@example.com', ...rest })
    const again = await done(name, { email: 'bob@example.com', ...rest })
    expect(again).toEqual(known)
    expect(known.steps).toEqual(expect.arrayContaining([...wanted, 'write attempts']))
    // What is looked up of the account is looked up by the queue of mails.
    if (wanted.length === 0) expect(known.steps).not.toContain('find account')
  })
})

test('a try that could not be made does not count', async () => {
  const { done } = await watched()
  const logIn = async (password: string) => (await done('logIn', { email: 'ada@example.com', password })).answer
  for (let turn = 0; turn < 20; turn++) expect(await logIn('while busy')).toBe('log-in-busy')
  for (let turn = 0; turn < 10; turn++) expect(await logIn('a wrong password')).toBe('log-in-failed')
  expect(await logIn('a wrong password')).toBe('too-many-attempts')
})

describe('sessions of before do not outlive a new password, though the store is lost the moment after it', () => {
  test('that is chosen by a link of a mail', async () => {
    const { done, held, resets, meanwhile, sessionsOf } = await watched()
    await held.begin('ada')
    meanwhile.isLost = true
    const token = await resets.make({ accountId: 'ada@example.com', version: 1 })
    const { answer } = await done('resetPassword', { token, password: 'another password' })
    expect(answer).toBe('credentials-unavailable')
    expect(await sessionsOf('ada')).toEqual([])
  })

  test('that takes the place of another', async () => {
    const { done, held, meanwhile, sessionsOf } = await watched()
    await held.begin('ada')
    const { session } = await held.begin('ada')
    meanwhile.isLost = true
    const body = { password: 'a password', newPassword: 'another password' }
    const principal = { ...anonymous, kind: 'customer', id: 'ada', sessionId: session.id } as const
    expect((await done('changePassword', body, principal)).answer).toBe('credentials-unavailable')
    expect(await sessionsOf('ada')).toEqual([session.id])
  })
})

test('a new password by mail logs in, though the lock of the account cannot be taken away', async () => {
  const { done, resets, meanwhile, sessionsOf } = await watched()
  meanwhile.isLockKept = true
  const token = await resets.make({ accountId: 'ada@example.com', version: 1 })
  const { answer } = await done('resetPassword', { token, password: 'another password' })
  expect(answer).toMatchObject({ customerId: 'ada' })
  expect(await sessionsOf('ada')).toHaveLength(1)
})

describe('a log-in with an old password, while it is changed,', () => {
  test.each([
    ['is being compared, and its hash is outdated', 'compared', true],
    ['was compared', 'begun', false],
    ['was compared, and its outdated hash replaced', 'begun', true],
  ] as const)('does not succeed when the password %s', async (_when, moment, isOutdated) => {
    const { done, meanwhile, setPassword, sessionsOf } = await watched()
    const password = isOutdated ? 'a password that costs too little' : 'a password'
    await setPassword(password)
    meanwhile[moment] = () => setPassword('another password')
    const { answer } = await done('logIn', { email: 'ada@example.com', password })
    expect(answer).toBe('log-in-failed')
    expect(await sessionsOf('ada')).toEqual([])
  })
})

test('a link of a mail begins no session with a password that was changed again meanwhile', async () => {
  const { done, resets, meanwhile, setPassword, sessionsOf } = await watched()
  meanwhile.begun = () => setPassword('a third password')
  const token = await resets.make({ accountId: 'ada@example.com', version: 1 })
  const { answer } = await done('resetPassword', { token, password: 'another password' })
  expect(answer).toBe('mail-token-invalid')
  expect(await sessionsOf('ada')).toEqual([])
})

test('of two who confirm the address of somebody who was forgotten one gets the account', async () => {
  const { done, confirmations, forgotten, meanwhile } = await watched()
  forgotten.add('ada')
  const confirm = async (jti: string, password: string) => {
    const token = await confirmations.make({ jti, email: 'ada@example.com', name: 'Ada' })
    return (await done('confirmAccount', { token, password })).answer
  }
  const answers: unknown[] = []
  meanwhile.asked = async () => {
    delete meanwhile.asked
    answers.push(await confirm('inner', 'the password of one'))
  }
  answers.push(await confirm('outer', 'the password of another'))
  expect(answers).toEqual([expect.objectContaining({ cart: null }), 'mail-token-invalid'])
  const { answer } = await done('logIn', { email: 'ada@example.com', password: 'the password of one' })
  expect(answer).toMatchObject({ cart: null })
})

test('a log-in renews a hash that is outdated', async () => {
  const { done, setPassword, steps } = await watched()
  await setPassword('a password that costs too little')
  const body = { email: 'ada@example.com', password: 'a password that costs too little' }
  expect((await done('logIn', body)).answer).toMatchObject({ customerId: 'ada' })
  expect(steps).toContain('write account')
})

test('a log-in waits for the disk once, and a wrong password never', async () => {
  const { done, durable } = await watched()
  durable.length = 0
  await done('logIn', { email: 'ada@example.com', password: 'a wrong password' })
  expect(durable).toEqual([])
  await done('logIn', { email: 'ada@example.com', password: 'a password' })
  expect(durable).toEqual(['write session'])
})
