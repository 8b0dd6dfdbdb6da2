import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { backup, restore } from '../../src/cli/backup.ts'
import { local } from '../../src/cli/connection.ts'
import { createKey } from '../../src/cli/keys.ts'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { forReading } from '../../src/shop.ts'
import { openStorage } from '../../src/storage.ts'
import { printedLines } from '../cli/printed.ts'
import { openShop } from '../integration/open-shop.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

printedLines()

function ownDirectory(): string {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  return path
}

test('a backup is asked for by who is on the machine of the server, one at a time', async () => {
  const shop = await openShop()
  const directory = join(ownDirectory(), 'backup')
  const state = async () => (await shop.send('GET', '/v1/backup')).body.state
  const ask = (to: string, token?: string) =>
    shop.send('POST', '/v1/backup', { body: { directory: to }, ...(token !== undefined && { token }) })
  expect(await state()).toBe('none')

  const key = await createKey(local(shop.daybook), 'Operator', [])
  expect(await ask(directory, key)).toMatchObject({ status: 403, body: { code: 'local-only' } })
  expect(await shop.send('DELETE', '/v1/backup', { token: key })).toMatchObject({ status: 403 })
  expect(await ask('backup')).toMatchObject({ status: 422 })

  expect(await ask(directory)).toMatchObject({ status: 202 })
  expect(await ask(join(directory, 'other'))).toMatchObject({ status: 409, body: { code: 'backup-under-way' } })
  await expect.poll(state).toBe('done')
  expect((await shop.send('GET', '/v1/backup', { token: key })).body.taken.events).toBeGreaterThan(0)
  expect(readdirSync(directory)).toContain('manifest.json')

  expect(await ask(directory)).toMatchObject({ status: 202 })
  await expect.poll(state).toBe('failed')
  expect((await shop.send('GET', '/v1/backup')).body.error).toContain('is not empty')
})

test('one that is stopped leaves nothing, by an operator or with the server', async () => {
  const shop = await openShop()
  const place = ownDirectory()
  mkdirSync(join(place, 'empty'))
  for (const name of ['new', 'empty']) {
    const ask = shop.send('POST', '/v1/backup', { body: { directory: join(place, name) } })
    const stop = shop.send('DELETE', '/v1/backup')
    expect(await ask).toMatchObject({ status: 202 })
    await stop
    await shop.send('DELETE', '/v1/backup')
    await expect.poll(async () => (await shop.send('GET', '/v1/backup')).body.state).toBe('stopped')
  }
  expect(readdirSync(join(place, 'empty'))).toEqual([])
  expect(existsSync(join(place, 'new'))).toBe(false)
  expect(await shop.send('POST', '/v1/backup', { body: { directory: join(place, 'late') } })).toMatchObject({
    status: 202,
  })
  await shop.close()
  expect(existsSync(join(place, 'late'))).toBe(false)
})

test('an extension that cannot be loaded keeps nobody from a backup, which says what it does not know', async () => {
  const place = ownDirectory()
  const [data, directory] = [join(place, 'data'), join(place, 'backup')]
  await (await openStorage({ DAYBOOK_DATA_DIR: data }, systemClock, () => {})).close()
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  onTestFinished(() => warn.mockRestore())
  const extensions = [{ name: 'gone', module: pathToFileURL(join(place, 'gone.ts')).href }]
  const { signal } = new AbortController()
  await backup(readConfig({ DAYBOOK_DATA_DIR: data }), directory, { signal, extensions })
  expect(readdirSync(directory)).toContain('manifest.json')
  expect(warn.mock.calls.join()).toMatch(/not known.*an extension can't be loaded/)
})

test('a shop on servers is told to use their own tools', async () => {
  const config = readConfig({ MONGODB_URL: 'mongodb://127.0.0.1/daybook' })
  const { signal } = new AbortController()
  await expect(backup(config, 'backup', { signal, extensions: [] })).rejects.toThrow('docs/operations.md')
  await expect(restore(config, 'backup', { signal, definitions: forReading([]) })).rejects.toThrow('docs/operations.md')
})
