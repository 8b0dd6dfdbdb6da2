import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { mongoKeyVault } from '../src/adapters/mongodb/key-vault.ts'
import { systemClock } from '../src/engine/clock.ts'
import { noStream } from '../src/engine/event-store.ts'
import { filesOf, openStorage } from '../src/storage.ts'
import { emptyDatabase, whyNotRun } from './adapters/mongodb/empty-database.ts'
import { newEvents } from './contract/new-event.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A data directory in which something has happened. */
async function used() {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const open = () => openStorage({ DAYBOOK_DATA_DIR: path }, systemClock, () => {})
  const storage = await open()
  await storage.store.append('cart-1', noStream, newEvents(1))
  await storage.vault.keyFor('ada')
  await storage.close()
  return { open, directory: path, files: filesOf(path) }
}

test('a log without its keys is refused, and no new ones are made', async () => {
  const { open, files } = await used()
  rmSync(files.vault)
  await expect(open()).rejects.toThrow(`${files.vault} is missing`)
  expect(existsSync(files.vault)).toBe(false)
})

test.skipIf(whyNotRun !== '')(
  `a log whose keys are not in MongoDB is refused, and no new ones are made${whyNotRun}`,
  async () => {
    const { directory } = await used()
    const { url, connect, dispose } = emptyDatabase()
    onTestFinished(dispose)
    const open = () => openStorage({ DAYBOOK_DATA_DIR: directory, MONGODB_URL: url }, systemClock, () => {})
    await expect(open()).rejects.toThrow('has no keys, though there is a log')
    const connection = connect()
    const keys = connection.databaseNamed(`${connection.database.databaseName}_keys`)
    expect(await keys.listCollections().toArray()).toEqual([])
    await mongoKeyVault(connection).secret('tokens')
    await (await open()).close()
  },
)

test('accounts that were there and are missing are refused, but for an empty file in their place', async () => {
  const { open, files } = await used()
  rmSync(files.credentials)
  await (await open()).close()
  const storage = await open()
  await storage.vault.secret('accounts')
  await storage.close()
  rmSync(files.credentials)
  await expect(open()).rejects.toThrow(`${files.credentials} is missing`)
  writeFileSync(files.credentials, '')
  await (await open()).close()
  writeFileSync(files.credentials, 'no database at all '.repeat(1_000))
  await expect(open()).rejects.toThrow(`${files.credentials} is damaged`)
})

test('damaged keys are refused by their name', async () => {
  const { open, files } = await used()
  writeFileSync(files.vault, 'no database at all '.repeat(1_000))
  await expect(open()).rejects.toThrow(`${files.vault} is damaged`)
})

test('a shop whose first start was cut off is opened', async () => {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const files = filesOf(path)
  await (await openStorage({ DAYBOOK_DATA_DIR: path }, systemClock, () => {})).close()
  rmSync(files.vault)
  await (await openStorage({ DAYBOOK_DATA_DIR: path }, systemClock, () => {})).close()
  expect(existsSync(files.vault)).toBe(true)
})
