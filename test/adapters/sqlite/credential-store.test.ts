import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSqliteCredentialStore } from '../../../src/adapters/sqlite/credential-store.ts'
import { type CredentialStoreHarness, credentialStoreContract } from '../../contract/credential-store.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

async function harness(): Promise<CredentialStoreHarness> {
  const directory = temporaryDirectory()
  const file = join(directory.path, 'credentials.db')
  const store = openSqliteCredentialStore({ file })
  return {
    store,
    open: async () => openSqliteCredentialStore({ file }),
    async dispose() {
      await store.close()
      directory.remove()
    },
  }
}

function emptyDirectory(): string {
  const directory = temporaryDirectory()
  onTestFinished(directory.remove)
  return directory.path
}

function account(owner: string) {
  return { kind: 'account', id: owner, owner, expiresAt: null, version: 1, data: `hash-of-${owner}-`.repeat(10) }
}

describe('the credential store in SQLite', () => {
  credentialStoreContract(harness)

  test('holds no copy of what was forgotten in any file', async () => {
    const directory = emptyDirectory()
    const store = openSqliteCredentialStore({ file: join(directory, 'credentials.db') })
    onTestFinished(() => store.close())
    const holds = (text: string) =>
      readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(text))
    for (const person of ['ada', 'bob']) await store.write(account(person))
    expect(holds('hash-of-ada-')).toBe(true)
    await store.forget('ada')
    expect([holds('hash-of-ada-'), holds('hash-of-bob-')]).toEqual([false, true])
  })

  test('that takes no writes says so, gives what it has, and goes on later', async () => {
    const file = join(emptyDirectory(), 'credentials.db')
    const store = openSqliteCredentialStore({ file, busyTimeoutMs: 1 })
    onTestFinished(() => store.close())
    await store.write(account('ada'))
    const other = new DatabaseSync(file)
    onTestFinished(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    const refused = { name: 'UnavailableError', code: 'credentials-unavailable' }
    await expect(store.write(account('bob'))).rejects.toMatchObject(refused)
    await expect(store.forget('ada')).rejects.toMatchObject(refused)
    expect(await store.find('account', 'ada')).toEqual(account('ada'))
    other.exec('ROLLBACK')
    expect(await store.write(account('bob'))).toBe(true)
  })

  test('can be read by its owner only, whatever it was copied with', async () => {
    const directory = emptyDirectory()
    const file = join(directory, 'credentials.db')
    const modes = () => readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)
    const store = openSqliteCredentialStore({ file })
    await store.write(account('ada'))
    expect(modes()).toEqual([0o600, 0o600, 0o600])
    await store.close()
    chmodSync(file, 0o644)
    await openSqliteCredentialStore({ file }).close()
    expect(modes()).toEqual([0o600])
  })

  test('is an error when it is damaged, and is left as it is', () => {
    const file = join(emptyDirectory(), 'damaged.db')
    writeFileSync(file, 'not a database, '.repeat(1_000))
    expect(() => openSqliteCredentialStore({ file })).toThrow('not a database')
    expect(readFileSync(file, 'utf8')).toMatch(/^not a database/)
  })
})
