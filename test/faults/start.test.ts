import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { stock } from '../integration/shop-client.ts'
import { startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { ownDirectory, patiently, startShop } from './real-shop.ts'
import { smallDisk, whyNotMounted } from './small-disk.ts'

/** What a server says that can't start. */
async function refusal(directory: string): Promise<string> {
  const server = startServer({ directory })
  onTestFinished(() => server.kill())
  expect(await server.ended).toEqual({ code: 1, signal: null })
  return server.output()
}

const probe = temporaryDirectory()
const reason = whyNotMounted(probe.path)
probe.remove()
const skipped = reason === undefined ? '' : ` (skipped: ${reason})`

// Each starts servers, on a machine that may be busy.
describe('a start says which directory is the matter, and what to do', { timeout: 60_000 }, () => {
  test.runIf(process.platform === 'linux')('where the system lets nobody make one', async () => {
    expect(await refusal('/proc/nope')).toMatch(
      /data directory \/proc\/nope can't be opened: ENOENT.* or choose another/,
    )
  })

  test('makes the directories that it is in', async () => {
    const directory = join(ownDirectory(), 'one', 'two')
    const shop = await startShop({ directory })
    expect(await shop.process.stop()).toEqual({ code: 0, signal: null })
  })

  test.skipIf(reason !== undefined)(`where the disk is full${skipped}`, async () => {
    const disk = smallDisk(16 * 1024 * 1024)
    disk.fill()
    expect(await refusal(disk.directory)).toMatch(/can't be opened: .*disk is full.* Make room/)
    disk.makeRoom()
    const shop = await startShop({ directory: disk.directory })
    await stock(shop)
    await shop.process.stop()
    rmSync(join(disk.directory, 'read'), { recursive: true })
    disk.fill()
    expect(await refusal(disk.directory)).toMatch(/can't be opened: .*disk is full.* Make room/)
    disk.makeRoom()
    const again = await startShop({ directory: disk.directory })
    await expect
      .poll(async () => (await again.send('GET', '/v1/stock-levels/TEAPOT')).body, patiently)
      .toMatchObject({ onHand: 10 })
  })

  test.skipIf(reason !== undefined)(`where the disk is read-only${skipped}`, async () => {
    const disk = smallDisk(16 * 1024 * 1024)
    const shop = await startShop({ directory: disk.directory })
    await shop.process.stop()
    disk.makeReadOnly()
    expect(await refusal(disk.directory)).toMatch(/can't be opened: .*read-?only.* this user may write there/i)
  })
})
