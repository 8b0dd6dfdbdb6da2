import { describe, expect, test } from 'vitest'
import { memoryCredentialStore } from '../../../src/adapters/memory/credential-store.ts'
import { accountOperations } from '../../../src/api/accounts/account-operations.ts'
import { accountRecords } from '../../../src/api/accounts/account-records.ts'
import { attempts } from '../../../src/api/accounts/attempts.ts'
import { confirmationTokens, resetTokens } from '../../../src/api/accounts/mail-token.ts'
import { mailTexts } from '../../../src/api/accounts/mails.ts'
import { passwords } from '../../../src/api/accounts/passwords.ts'
import { refreshTokens } from '../../../src/api/accounts/refresh-token.ts'
import { sessions } from '../../../src/api/accounts/sessions.ts'
import { problemOf } from '../../../src/api/problems.ts'
import { anonymous } from '../../../src/engine/access.ts'
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
  const store = {
    ...kept,
    find: (kind: string, id: string) => {
      steps.push(`find ${kind}`)
      return kept.find(kind, id)
    },
    write: (credential: Parameters<typeof kept.write>[0]) => {
      steps.push(`write ${credential.kind}`)
      return kept.write(credential)
    },
  }
  const hashing = passwords()
  const mailed = { key: new Uint8Array(32), clock }
  const posted: unknown[] = []
  const accounts = accountRecords(store, clock)
  const times = { lifetimeMs: 1, idleMs: 1, accessTokenMs: 1 }
  const operations = accountOperations({
    accounts,
    customers: { register: unused, withAddress: unused, isRegistered: async () => true, profile: unused },
    passwords: {
      hash: hashing.hash,
      verify: async (password, hash) => {
        steps.push('compare a password')
        if (password === 'while busy') throw new UnavailableError('log-in-busy', 'Try again')
        return hashing.verify(password, hash)
      },
    },
    attempts: attempts({ store, clock, hash: (name) => name }),
    sessions: sessions({ store, tokens: refreshTokens(new Uint8Array(32)), clock, ...times }),
    logIns: { begin: unused, tokensOf: unused, takeCart: unused },
    confirmations: confirmationTokens(mailed),
    resets: resetTokens(mailed),
    texts: mailTexts(undefined),
    mail: { post: (make) => posted.push(make), close: async () => {} },
    accountIdOf: (email) => email,
    requestsPerMinute: 1,
  })
  await accounts.add({ id: 'ada@example.com', customerId: 'ada', passwordHash: await hashing.hash('a password') })

  /** What an operation does for an address, and how it answers. */
  async function done(name: string, body: object) {
    steps.length = 0
    const request = { address: '203.0.113.1', correlationId: 'test-0001', headers: {} }
    const asked = { parameters: {}, body, principal: anonymous, request }
    const answer = await operations
      .find((each) => each.name === name)
      ?.run(asked)
      .catch((error: unknown) => problemOf(error).code)
    return { steps: [...steps], answer, mails: posted.splice(0).length }
  }
  return { done }
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
