import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { eventsIn } from '../faults/files.ts'
import { ownDirectory, patiently, startGateway, startShop } from '../faults/real-shop.ts'
import { ask, openAccount, password } from '../integration/account-client.ts'
import { checkOut, fillCart, guest, pay, stock } from '../integration/shop-client.ts'
import { ranDaybook } from './command.ts'

async function succeeded(run: ReturnType<typeof ranDaybook>): Promise<string> {
  const { code, output } = await run
  expect(code, output).toBe(0)
  return output
}

test('a restored shop knows who ordered, goes on with what was under way, and forgets anew whom it is told to', async () => {
  const place = ownDirectory()
  const [directory, backup] = [join(place, 'data'), join(place, 'backup')]
  const gateway = await startGateway()
  const shop = await startShop({ directory, gateway })
  await stock(shop)
  const shopper = await guest(shop)
  const { token } = shopper
  const paid = await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
  await pay(shop, paid, shopper)
  await expect.poll(() => shop.get(`/v1/orders/${paid}`), patiently).toMatchObject({ paymentStatus: 'captured' })
  const unpaid = await checkOut(shop, await fillCart(shop, shopper, 1), shopper)
  const account = await openAccount(shop, 'cleo@example.com')
  await shop.post('/v1/customers', { id: 'bob', email: 'bob@example.com', name: 'Bob Hope' })

  const output = await succeeded(ranDaybook(directory, 'backup', backup))
  expect(output).toContain(`${eventsIn(directory).length} events and all keys are in the backup`)
  const events = eventsIn(directory)
  // What comes after the backup is lost with the directory.
  await pay(shop, unpaid, shopper)
  await shop.post('/v1/customers/bob/forget')
  await expect.poll(() => succeeded(ranDaybook(directory, 'forgotten')), patiently).toContain('bob')
  const list = join(place, 'forgotten.txt')
  writeFileSync(list, await succeeded(ranDaybook(directory, 'forgotten')))
  await shop.process.kill()
  const calls = new Set(gateway.calls)

  const restored = join(place, 'restored')
  const said = await succeeded(ranDaybook(restored, 'restore', backup, '--forgotten', list))
  expect(said).toContain('1 sessions were ended')
  expect(said).toContain('Good again are 0 API keys')
  expect(said).not.toContain("can't be read")
  expect(readdirSync(restored).toSorted()).toEqual(['credentials.db', 'lock.db', 'log.db', 'vault.db'])
  const again = await startShop({ directory: restored, gateway })
  const isReady = async (of: typeof shop) => (await of.send('GET', '/health/ready')).body
  await expect.poll(() => isReady(again), patiently).toEqual({ status: 'ready', degraded: [] })
  expect(await again.get(`/v1/orders/${paid}`, token)).toMatchObject({
    paymentStatus: 'captured',
    email: 'ada@example.com',
  })
  expect(await again.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 10, reserved: 2 })
  expect((await again.send('GET', '/v1/customers/bob')).body.name ?? null).toBeNull()
  expect(await again.send('POST', '/v1/customers/bob/rename', { body: { name: 'Bob' } })).toMatchObject({ status: 409 })
  // Sessions are not restored; who has an account logs in anew.
  const { refreshToken } = account
  expect(refreshToken).toBeDefined()
  expect(await ask(again, 'refresh', { refreshToken })).toMatchObject({ status: 401 })
  expect(await ask(again, 'log-in', { email: 'cleo@example.com', password })).toMatchObject({ status: 201 })
  await pay(again, unpaid, shopper)
  await expect.poll(() => again.get(`/v1/orders/${unpaid}`), patiently).toMatchObject({ paymentStatus: 'captured' })
  await expect.poll(async () => (await again.get('/v1/open-work')).items, patiently).toEqual([])
  await again.process.stop()
  const after = eventsIn(restored)
  expect(after.slice(0, events.length)).toEqual(events)
  expect(after.slice(events.length).map(({ type }) => type)).toEqual(
    expect.arrayContaining(['CustomerForgotten', 'PersonalDataErased']),
  )
  // The payment that was lost had its own calls; of the first order nothing is asked again.
  const first = [...calls].filter((call) => gateway.calls.indexOf(call) < 2)
  expect(gateway.calls.filter((call) => first.includes(call))).toEqual(first)

  const unwary = join(place, 'unwary')
  await succeeded(ranDaybook(unwary, 'restore', backup))
  const old = await startShop({ directory: unwary, gateway })
  await expect.poll(() => isReady(old), patiently).toEqual({ status: 'ready', degraded: [] })
  expect(await old.get('/v1/customers/bob')).toMatchObject({ name: 'Bob Hope' })
}, 180_000)

test('a backup whose personal data nobody can read says so, and is not whole', async () => {
  const place = ownDirectory()
  const directory = join(place, 'data')
  const shop = await startShop({ directory })
  await shop.post('/v1/customers', { id: 'bob', email: 'bob@example.com', name: 'Bob Hope' })
  await shop.process.kill()
  const vault = new DatabaseSync(join(directory, 'vault.db'))
  vault.exec("DELETE FROM person WHERE person = 'bob'")
  vault.close()
  const lost = "The personal data of 1 person can't be read: they were not forgotten, but the vault has no key of bob."
  expect(await succeeded(ranDaybook(directory, 'backup', join(place, 'backup')))).toContain(lost)
  const other = join(place, 'other')
  const checked = await ranDaybook(other, 'restore', join(place, 'backup'), '--check')
  expect(checked.output).toContain(lost)
  expect(checked.code).toBe(1)
  expect(await succeeded(ranDaybook(other, 'restore', join(place, 'backup')))).toContain(lost)
}, 120_000)

test('a directory that nobody serves is backed up by the command itself, also after a kill', async () => {
  const place = ownDirectory()
  const directory = join(place, 'data')
  const shop = await startShop({ directory })
  await stock(shop)
  await shop.process.kill()
  const events = eventsIn(directory).length
  await succeeded(ranDaybook(directory, 'backup', join(place, 'backup')))
  expect(await succeeded(ranDaybook(join(place, 'other'), 'restore', join(place, 'backup'), '--check'))).toContain(
    `${events} events`,
  )
  const again = await startShop({ directory })
  expect(await again.get('/v1/stock-levels/TEAPOT')).toMatchObject({ onHand: 10 })
}, 120_000)
