import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { restoreBackup } from '../../src/backup/restore.ts'
import { takeBackup } from '../../src/backup/take.ts'
import { verifyBackup } from '../../src/backup/verify.ts'
import { customerEvents } from '../../src/domain/customer.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { registryOf } from '../../src/engine/engine.ts'
import { NewerVersionError } from '../../src/engine/errors.ts'
import { noStream } from '../../src/engine/event-store.ts'
import type { KeyVault } from '../../src/engine/key-vault.ts'
import { personalData } from '../../src/engine/personal-data.ts'
import { forReading } from '../../src/shop.ts'
import { filesOf, openStorage } from '../../src/storage.ts'
import { newEvent, newEvents } from '../contract/new-event.ts'
import { smallDisk, whyNotMounted } from '../faults/small-disk.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const presentShop = forReading([])

const nobody = filesOf('nowhere')
const registry = registryOf(presentShop)

function ownDirectory(): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  return path
}

/** A data directory with a log of some hundred kilobytes, and its backup. */
async function backedUp(directory: string) {
  const data = join(directory, 'data')
  const storage = await openStorage({ DAYBOOK_DATA_DIR: data }, systemClock, () => {})
  for (let stream = 0; stream < 20; stream++) await storage.store.append(`cart-${stream}`, noStream, newEvents(50))
  await storage.vault.keyFor('ada')
  for (const kind of ['account', 'session'])
    await storage.credentials.write({ kind, id: 'ada', owner: 'ada', expiresAt: null, version: 1, data: '{}' })
  await storage.close()
  const backup = join(directory, 'backup')
  const { manifest } = await take(data, backup)
  return { data, backup, manifest }
}

function take(data: string, directory: string, onProgress = () => {}) {
  const now = '2026-01-31T12:00:00.000Z'
  return takeBackup({ files: filesOf(data), directory, version: '0.1.0', now, registry, onProgress })
}

function verify(directory: string) {
  return verifyBackup({ directory, files: nobody, registry, onProgress: () => {} })
}

async function restore(backup: string, data: string, onStep = () => {}) {
  const { manifest } = await verify(backup)
  return await restoreBackup({
    backup,
    manifest,
    files: filesOf(data),
    forgotten: [],
    definitions: presentShop,
    clock: systemClock,
    onStep,
  })
}

let whole: Awaited<ReturnType<typeof backedUp>>
const shared = temporaryDirectory()
beforeAll(async () => {
  whole = await backedUp(shared.path)
  return shared.remove
})

/** A copy of the backup that a test may damage. */
function copied(): string {
  const directory = join(ownDirectory(), 'backup')
  cpSync(whole.backup, directory, { recursive: true })
  return directory
}

test('a backup says what it has, and only its owner can read it', async () => {
  expect((await verify(whole.backup)).manifest).toEqual(whole.manifest)
  expect(whole.manifest.log).toMatchObject({ position: 1_000, events: 1_000 })
  for (const name of readdirSync(whole.backup)) expect(statSync(join(whole.backup, name)).mode & 0o777).toBe(0o600)
  expect(statSync(whole.backup).mode & 0o777).toBe(0o700)
})

test('what is restored has all events, keys and accounts, and nobody is logged in', async () => {
  const data = join(ownDirectory(), 'data')
  await restore(whole.backup, data)
  const storage = await openStorage({ DAYBOOK_DATA_DIR: data }, systemClock, () => {})
  onTestFinished(storage.close)
  expect((await storage.store.head()).position).toBe(1_000)
  expect((await storage.vault.keys(['ada'])).size).toBe(1)
  const kept = await storage.credentials.ofOwner('account', 'ada', 10)
  expect(kept).toMatchObject([{ id: 'ada' }])
  expect(await storage.credentials.ofOwner('session', 'ada', 10)).toEqual([])
})

test('what is good again after a restore is said: sessions are not, keys and webhooks are', async () => {
  const directory = ownDirectory()
  const data = join(directory, 'data')
  const storage = await openStorage({ DAYBOOK_DATA_DIR: data }, systemClock, () => {})
  const created = (title: string) =>
    newEvent({ type: 'ApiKeyCreated', data: { title, scopes: ['orders'], secretHash: '0'.repeat(64) } })
  await storage.store.append('apiKey-erp', noStream, [created('ERP')])
  await storage.store.append('apiKey-old', noStream, [created('Old'), newEvent({ type: 'ApiKeyRevoked', data: {} })])
  const webhook = (webhookId: string) => {
    const content = { title: webhookId, url: 'https://erp.example/', eventTypes: ['OrderConfirmed'] }
    const data = { webhookId, ...content, activeFrom: '2026-01-15T09:30:00.000Z', secret: 1 }
    return newEvent({ type: 'WebhookCreated', data })
  }
  await storage.store.append('webhooks-all', noStream, [
    webhook('erp'),
    webhook('shop'),
    webhook('gone'),
    newEvent({ type: 'WebhookDisabled', data: { webhookId: 'shop', cause: 'staff' } }),
    newEvent({ type: 'WebhookDeleted', data: { webhookId: 'gone' } }),
  ])
  const session = { kind: 'session', owner: 'ada', expiresAt: null, version: 1, data: '{}' }
  for (const id of ['one', 'two']) await storage.credentials.write({ ...session, id })
  await storage.vault.keyFor('ada')
  await storage.close()
  const backup = join(directory, 'backup')
  await take(data, backup)
  expect(await restore(backup, join(directory, 'restored'))).toEqual({
    sessions: 2,
    inForce: { apiKeys: [{ id: 'erp', title: 'ERP', scopes: ['orders'] }], webhooks: { active: 1, disabled: 1 } },
  })
})

test('whose personal data nobody can read any more is found, and not who was forgotten', async () => {
  const directory = ownDirectory()
  const data = join(directory, 'data')
  const storage = await openStorage({ DAYBOOK_DATA_DIR: data }, systemClock, () => {})
  const { CustomerRenamed: schema } = customerEvents.schemas
  const sealed = (vault: KeyVault, person: string) =>
    personalData(vault).seal(schema, schema.parse({ name: `${person} Lovelace` }), () => person)
  const rename = async (vault: KeyVault, person: string) => {
    const event = newEvent({ type: 'CustomerRenamed', data: await sealed(vault, person) })
    await storage.store.append(`customer-${person}`, noStream, [event])
  }
  // Keys of another vault: that of the shop has never heard of those persons.
  const other = memoryKeyVault()
  await rename(storage.vault, 'ada')
  await rename(storage.vault, 'eve')
  await storage.vault.forget('eve')
  for (let number = 0; number < 12; number++) await rename(other, `bob-${number}`)
  await storage.store.append('customer-bob-0', 0, [
    // Written before this version, or by an extension that is not there.
    newEvent({ type: 'SomethingElse', data: { inner: [1, await sealed(other, 'cleo')] } }),
    // What people write of sealed values is none.
    newEvent({ type: 'ProductAttributesChanged', data: { attributes: { note: (await sealed(other, 'dan')).name } } }),
  ])
  await storage.close()
  const first = Array.from({ length: 10 }, (_, number) => `bob-${number}`)
  const lostKeys = { persons: 13, isMore: false, first }
  const backup = join(directory, 'backup')
  expect(await take(data, backup)).toMatchObject({ lostKeys })
  expect(await verify(backup)).toMatchObject({ lostKeys })
  expect(await verify(whole.backup)).toMatchObject({ lostKeys: { persons: 0, first: [] } })
})

test('a vault that an older version has written is backed up as it is', async () => {
  const directory = ownDirectory()
  const data = join(directory, 'data')
  cpSync(whole.data, data, { recursive: true })
  const vault = new DatabaseSync(filesOf(data).vault)
  vault.exec('DROP TABLE person; PRAGMA user_version = 0')
  vault.close()
  const { manifest, lostKeys } = await take(data, join(directory, 'backup'))
  expect(manifest.files.find(({ name }) => name === 'vault.db')).toMatchObject({ layout: 0 })
  expect(lostKeys).toBeUndefined()
})

test.each(['log.db', 'vault.db', 'credentials.db'])('a flipped bit anywhere in %s is found', async (name) => {
  const backup = copied()
  const file = join(backup, name)
  const bytes = readFileSync(file)
  for (const share of [0, 0.1, 0.5, 0.999]) {
    const flipped = Buffer.from(bytes)
    const place = Math.floor(bytes.length * share)
    flipped.writeUInt8(bytes.readUInt8(place) ^ 1, place)
    writeFileSync(file, flipped)
    await expect(verify(backup)).rejects.toThrow(`${file} is not what was written: its checksum is wrong`)
  }
})

test('a backup that was cut off, or lacks a file, is none', async () => {
  const backup = copied()
  rmSync(join(backup, 'manifest.json'))
  await expect(verify(backup)).rejects.toThrow(`There is no whole backup in ${backup}`)
  cpSync(join(whole.backup, 'manifest.json'), join(backup, 'manifest.json'))
  truncateSync(join(backup, 'log.db'), 4_096)
  await expect(verify(backup)).rejects.toThrow('log.db has 4096 bytes instead of')
  rmSync(join(backup, 'log.db'))
  await expect(verify(backup)).rejects.toThrow('log.db is missing')
  const { files, ...rest } = whole.manifest
  const others = { ...rest, files: files.filter(({ name }) => name !== 'vault.db') }
  cpSync(join(whole.backup, 'log.db'), join(backup, 'log.db'))
  writeFileSync(join(backup, 'manifest.json'), JSON.stringify(others))
  await expect(verify(backup)).rejects.toThrow('vault.db is missing')
})

test('what a newer Daybook made is left to it', async () => {
  const backup = copied()
  const say = (manifest: object) => writeFileSync(join(backup, 'manifest.json'), JSON.stringify(manifest))
  say({ ...whole.manifest, format: 2, news: true })
  await expect(verify(backup)).rejects.toThrow(NewerVersionError)
  say({ ...whole.manifest, files: whole.manifest.files.map((file) => ({ ...file, layout: 99 })) })
  await expect(verify(backup)).rejects.toThrow('log.db was written by Daybook 0.1.0, and this one does not know it')
  say({ ...whole.manifest, files: [...whole.manifest.files, { ...whole.manifest.files[0], name: 'news.db' }] })
  await expect(verify(backup)).rejects.toThrow(NewerVersionError)
})

test('a log that is damaged is not backed up as if it were whole', async () => {
  const directory = ownDirectory()
  const data = join(directory, 'data')
  cpSync(whole.data, data, { recursive: true })
  const bytes = readFileSync(filesOf(data).log)
  bytes.write('X', bytes.lastIndexOf('"commandId"') + 15)
  writeFileSync(filesOf(data).log, bytes)
  await expect(take(data, join(directory, 'backup'))).rejects.toThrow(
    new RegExp(`^The event log ${filesOf(data).log} is damaged: the checksum of the event at position \\d+ is wrong`),
  )
  expect(existsSync(join(directory, 'backup'))).toBe(false)
})

describe('nothing is left of what', () => {
  test('was stopped, wherever it was', async () => {
    const directory = ownDirectory()
    let steps = 0
    await take(whole.data, join(directory, 'counted'), () => void steps++)
    for (let at = 1; at <= steps; at++) {
      let step = 0
      const stopped = take(whole.data, join(directory, 'stopped'), () => {
        if (++step === at) throw new Error('stopped')
      })
      await expect(stopped).rejects.toThrow('stopped')
      expect(readdirSync(directory)).toEqual(['counted'])
    }
  })

  test('was stopped while it was restored', async () => {
    const directory = ownDirectory()
    let steps = 0
    await restore(whole.backup, join(directory, 'counted'), () => void steps++)
    for (let at = 1; at <= steps; at++) {
      let step = 0
      const stopped = restore(whole.backup, join(directory, 'stopped'), () => {
        if (++step === at) throw new Error('stopped')
      })
      await expect(stopped).rejects.toThrow('stopped')
      expect(readdirSync(directory)).toEqual(['counted'])
    }
  })

  test('was to go where something is', async () => {
    const directory = ownDirectory()
    writeFileSync(join(directory, 'letter'), '')
    await expect(take(whole.data, directory)).rejects.toThrow(`${directory} is not empty`)
    await expect(restore(whole.backup, directory)).rejects.toThrow(`${directory} is not empty`)
    expect(readdirSync(directory)).toEqual(['letter'])
  })
})

const probe = temporaryDirectory()
const reason = whyNotMounted(probe.path)
probe.remove()

describe.skipIf(reason !== undefined)(
  `a disk that is full${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    test('takes no backup and no restored shop, and has nothing of them', async () => {
      const { directory } = smallDisk(256 * 1024)
      for (const target of [join(directory, 'new'), directory]) {
        await expect(take(whole.data, target)).rejects.toThrow(/full/)
        expect(readdirSync(directory)).toEqual([])
      }
      mkdirSync(join(directory, 'data'))
      await expect(restore(whole.backup, join(directory, 'data'))).rejects.toThrow(/ENOSPC|full/)
      expect(readdirSync(join(directory, 'data'))).toEqual([])
    })
  },
)
