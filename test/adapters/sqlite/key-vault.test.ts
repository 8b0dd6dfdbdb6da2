import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openSqliteKeyVault } from '../../../src/adapters/sqlite/key-vault.ts'
import { NewerVersionError } from '../../../src/engine/errors.ts'
import { type KeyVaultHarness, keyVaultContract } from '../../contract/key-vault.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

async function harness(): Promise<KeyVaultHarness> {
  const directory = temporaryDirectory()
  const file = join(directory.path, 'keys.db')
  const vault = openSqliteKeyVault({ file })
  return {
    vault,
    open: async () => openSqliteKeyVault({ file }),
    async dispose() {
      await vault.close()
      directory.remove()
    },
  }
}

function emptyDirectory(): string {
  const directory = temporaryDirectory()
  onTestFinished(directory.remove)
  return directory.path
}

/** Whether the bytes are anywhere in the files of a directory. */
function holds(directory: string, bytes: Uint8Array): boolean {
  return readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(bytes))
}

describe('the key vault in SQLite', () => {
  keyVaultContract(harness)

  test('holds no copy of a key in any file once it is forgotten', { timeout: 60_000 }, async () => {
    const directory = emptyDirectory()
    const vault = openSqliteKeyVault({ file: join(directory, 'keys.db') })
    onTestFinished(() => vault.close())
    // Many, in no order, so that pages split and the tables grow while keys go.
    const persons = Array.from({ length: 3_000 }, (_, index) => `person-${(index * 7919) % 3_000}`)
    const keys = new Map<string, Uint8Array>()
    for (let start = 0; start < persons.length; start += 500) {
      const group = persons.slice(start, start + 500)
      const made = await Promise.all(group.map((person) => vault.keyFor(person)))
      for (const [index, person] of group.entries()) keys.set(person, made[index] ?? new Uint8Array())
      const forgotten = group.filter((_, index) => index % 10 === 0)
      for (const person of forgotten) {
        const key = keys.get(person) ?? new Uint8Array()
        expect(holds(directory, key)).toBe(true)
        await vault.forget(person)
        expect(holds(directory, key)).toBe(false)
        keys.delete(person)
      }
    }
    for (const [person, key] of Array.from(keys).slice(0, 20)) expect(await vault.keyFor(person)).toEqual(key)
    for (const person of keys.keys()) await vault.forget(person)
    for (const key of keys.values()) expect(holds(directory, key)).toBe(false)
  })

  test('holds no copy of a key once a restored vault says that the person was forgotten', async () => {
    const directory = emptyDirectory()
    const vault = openSqliteKeyVault({ file: join(directory, 'keys.db') })
    onTestFinished(() => vault.close())
    const key = (await vault.keyFor('ada')) ?? new Uint8Array()
    expect(holds(directory, key)).toBe(true)
    await vault.restore([{ kind: 'forgotten', name: 'ada' }])
    expect(holds(directory, key)).toBe(false)
  })

  test('says so when a reader in another thread keeps a copy alive, and finishes when asked again', async () => {
    const directory = emptyDirectory()
    const file = join(directory, 'keys.db')
    const vault = openSqliteKeyVault({ file, busyTimeoutMs: 10 })
    onTestFinished(() => vault.close())
    const key = (await vault.keyFor('ada')) ?? new Uint8Array()
    const reader = new DatabaseSync(file)
    reader.exec('BEGIN; SELECT * FROM key')
    await expect(vault.forget('ada')).rejects.toMatchObject({ name: 'UnavailableError', code: 'key-vault-busy' })
    expect(await vault.keyFor('ada')).toBeUndefined()
    reader.close()
    await vault.forget('ada')
    expect(holds(directory, key)).toBe(false)
  })

  test('that takes no writes makes no keys for now, gives those that it has, and goes on later', async () => {
    const file = join(emptyDirectory(), 'keys.db')
    const vault = openSqliteKeyVault({ file, busyTimeoutMs: 1 })
    onTestFinished(() => vault.close())
    const key = await vault.keyFor('ada')
    const secret = await vault.secret('tokens')
    const other = new DatabaseSync(file)
    onTestFinished(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    for (const write of [() => vault.keyFor('bob'), () => vault.forget('ada'), () => vault.secret('other')]) {
      await expect(write()).rejects.toMatchObject({ name: 'UnavailableError', code: 'key-vault-unavailable' })
    }
    expect(await vault.keyFor('ada')).toEqual(key)
    expect(await vault.secret('tokens')).toEqual(secret)
    other.exec('ROLLBACK')
    expect(await vault.keyFor('bob')).toHaveLength(32)
    await vault.forget('ada')
    expect(await vault.keyFor('ada')).toBeUndefined()
  })

  test('keeps no more keys in memory than it may, and finds the others', async () => {
    const vault = openSqliteKeyVault({ file: join(emptyDirectory(), 'keys.db'), cachedKeys: 2 })
    onTestFinished(() => vault.close())
    const persons = ['a', 'b', 'c', 'd']
    const keys = await Promise.all(persons.map((person) => vault.keyFor(person)))
    expect(await Promise.all(persons.map((person) => vault.keyFor(person)))).toEqual(keys)
    expect(await vault.keys(persons)).toEqual(new Map(persons.map((person, index) => [person, keys[index]])))
  })

  test('can be read by its owner only, whatever it was copied with', async () => {
    const directory = emptyDirectory()
    const file = join(directory, 'keys.db')
    const modes = () => readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)
    const vault = openSqliteKeyVault({ file })
    await vault.keyFor('ada')
    expect(modes()).toEqual([0o600, 0o600, 0o600])
    await vault.close()
    chmodSync(file, 0o644)
    await openSqliteKeyVault({ file }).close()
    expect(modes()).toEqual([0o600])
  })

  test('is an error when it is damaged or newer, and is left as it is', async () => {
    const directory = emptyDirectory()
    const [damaged, newer] = [join(directory, 'damaged.db'), join(directory, 'newer.db')]
    writeFileSync(damaged, 'not a database, '.repeat(1_000))
    expect(() => openSqliteKeyVault({ file: damaged })).toThrow('not a database')
    expect(readFileSync(damaged, 'utf8')).toMatch(/^not a database/)
    const database = new DatabaseSync(newer)
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => openSqliteKeyVault({ file: newer })).toThrow(NewerVersionError)
  })
})
