import { describe, expect, onTestFinished, test } from 'vitest'
import { mongoKeyVault } from '../../../src/adapters/mongodb/key-vault.ts'
import { keyVaultContract } from '../../contract/key-vault.ts'
import { emptyDatabase, whyNotRun } from './empty-database.ts'

describe.skipIf(whyNotRun !== '')(`the key vault in MongoDB${whyNotRun}`, () => {
  const cachedForMs = 5_000

  /** A database, and a time by which all vaults over it go. */
  function server() {
    const { connect, dispose } = emptyDatabase()
    let nowMs = 1_000
    const monotonic = () => nowMs
    return {
      connect,
      dispose,
      open: (cachedKeys = 10_000) => mongoKeyVault(connect(), { monotonic, cachedForMs, cachedKeys }),
      pass(ms: number) {
        nowMs += ms
      },
    }
  }

  function emptyServer() {
    const made = server()
    onTestFinished(made.dispose)
    return made
  }

  keyVaultContract(async () => {
    const { open, dispose, pass } = server()
    return { vault: open(), open: async () => open(), outlast: () => pass(cachedForMs + 1), dispose }
  })

  test('opens with a key that another process forgot for as long as it says, and never seals with it', async () => {
    const { open, pass } = emptyServer()
    const [one, other] = [open(), open()]
    const key = await one.keyFor('ada')
    expect(await other.keys(['ada'])).toEqual(new Map([['ada', key]]))
    await one.forget('ada')
    expect(await one.keys(['ada'])).toEqual(new Map())
    expect(await other.keyFor('ada')).toBeUndefined()
    pass(cachedForMs)
    await other.keys(['ada']) // looked at in between, which must not prolong it
    pass(1)
    expect(await other.keys(['ada'])).toEqual(new Map())
  })

  test('counts that time from before it asked', async () => {
    const { open, pass } = emptyServer()
    const [one, other] = [open(), open()]
    const key = await one.keyFor('ada')
    const asked = other.keys(['ada'])
    pass(cachedForMs) // while the question is under way
    expect(await asked).toEqual(new Map([['ada', key]]))
    await one.forget('ada')
    pass(1)
    expect(await other.keys(['ada'])).toEqual(new Map())
  })

  test('does not keep in memory what it asked for while the person was being forgotten', async () => {
    const { open } = emptyServer()
    const vault = open()
    const unknown = Array.from({ length: 8_000 }, (_, index) => `unknown-${index}`)
    for (let round = 0; round < 10; round++) {
      const person = `person-${round}`
      await vault.keyFor(person)
      // Asked in several questions, the person in the first one: forgetting is usually done before they are.
      await Promise.all([vault.keys([person, ...unknown]), vault.forget(person)])
      expect(await vault.keys([person])).toEqual(new Map())
    }
  })

  test('keeps no more keys in memory than it may, and finds the others', async () => {
    const { open } = emptyServer()
    const vault = open(2)
    const persons = ['a', 'b', 'c', 'd']
    const keys = new Map(
      await Promise.all(persons.map(async (person) => [person, await vault.keyFor(person)] as const)),
    )
    for (let time = 0; time < 2; time++) expect(await vault.keys(persons)).toEqual(keys)
  })

  test('holds only names and marks of whom it forgot', async () => {
    const { open, connect } = emptyServer()
    const vault = open()
    await vault.keyFor('ada')
    await vault.forget('ada')
    const { database, databaseNamed } = connect()
    const documents = await databaseNamed(`${database.databaseName}_keys`).collection('persons').find().toArray()
    expect(documents).toEqual([{ _id: 'ada', forgotten: true }])
  })

  test('gives thousands who come together one key each, the same in every process', async () => {
    const { open, connect } = emptyServer()
    const persons = Array.from({ length: 2_500 }, (_, index) => `person-${index}`)
    const [one, other] = [open(), open()]
    const [some, same] = await Promise.all([
      Promise.all(persons.map((person) => one.keyFor(person))),
      Promise.all(persons.toReversed().map((person) => other.keyFor(person))),
    ])
    expect(some).toEqual(same.toReversed())
    const { database, databaseNamed } = connect()
    expect(await databaseNamed(`${database.databaseName}_keys`).collection('persons').countDocuments()).toBe(2_500)
  })

  test('that is damaged says so, and gives no other key', async () => {
    const { open, connect } = emptyServer()
    const vault = open()
    await vault.keyFor('ada')
    const { database, databaseNamed } = connect()
    const persons = databaseNamed(`${database.databaseName}_keys`).collection<{ _id: string }>('persons')
    await persons.updateOne({ _id: 'ada' }, { $unset: { bytes: '' } })
    await expect(vault.keyFor('ada')).rejects.toThrow('damaged')
    await expect(vault.keys(['ada'])).rejects.toThrow('damaged')
  })
})
