import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { announce, announcementOf } from '../../src/cli/announcement.ts'
import { readConfig } from '../../src/config.ts'
import { type Role, roles } from '../../src/engine/cluster-member.ts'
import { placeOf } from '../../src/servers.ts'

const served = (isNew = false) => ({
  url: 'http://127.0.0.1:3000',
  metricsUrl: 'http://127.0.0.1:9464/metrics',
  daybook: { version: '1.2.3', isNew },
})
const shop = (settings: Readonly<Record<string, string>>, does: readonly Role[] = roles, gateways: string[] = []) =>
  announcementOf(served(), readConfig(settings), { roles: does, gateways })

/** What is written where somebody sits, and what is logged where nobody does. */
function said(announcement: ReturnType<typeof shop>, isTTY: boolean) {
  const written: string[] = []
  const logged: unknown[] = []
  announce(announcement, { isTTY, write: (text) => written.push(text) }, (facts, message) =>
    logged.push({ facts, message }),
  )
  return { written: written.join(''), logged }
}

test('At a terminal it says where the shop is reached and what keeps it', () => {
  const { written, logged } = said(shop({ DAYBOOK_DATA_DIR: 'shop-data' }), true)
  expect(written).toContain('Daybook 1.2.3 serves: api, projector, worker.')
  expect(written).toMatch(/^ {2}API +http:\/\/127\.0\.0\.1:3000\/v1$/m)
  expect(written).toMatch(/^ {2}Reference +http:\/\/127\.0\.0\.1:3000\/reference$/m)
  expect(written).toMatch(/^ {2}Metrics +http:\/\/127\.0\.0\.1:9464\/metrics$/m)
  expect(written).toContain(`SQLite in ${resolve('shop-data')}`)
  expect(written).toMatch(/^ {2}Payments +none: set DAYBOOK_GATEWAYS/m)
  expect(written).not.toContain('keys create')
  expect(logged).toEqual([])
})

test('Of a new shop it says how to begin', () => {
  const announcement = announcementOf(served(true), readConfig({}), { roles, gateways: ['invoice'] })
  const { written } = said(announcement, true)
  expect(written).toContain('daybook keys create --title Owner')
  expect(written).toMatch(/^ {2}Payments +invoice$/m)
})

test('Where no terminal is, the same is one line of the log', () => {
  const announcement = shop({})
  expect(said(announcement, false)).toEqual({
    written: '',
    logged: [{ facts: announcement, message: 'Daybook serves' }],
  })
})

test('A process of a cluster names its servers without what it logs in with, and no address that it does not serve', () => {
  const announcement = shop(
    {
      EVENTSTOREDB_URL: 'esdb+discover://admin:changeit@events.example:2113?tls=true',
      MONGODB_URL: 'mongodb://shop:p@ssword@one.example,two.example:27018/daybook?replicaSet=a',
      REDIS_URL: 'redis://:secret@redis.example:6379/2',
    },
    ['worker'],
  )
  expect(announcement.keeps).toEqual({
    Log: 'EventStoreDB at events.example:2113',
    'Read models': 'MongoDB at one.example,two.example:27018',
    Jobs: 'Redis at redis.example:6379',
  })
  expect(Object.keys(announcement.addresses)).toEqual(['Health', 'Metrics'])
  expect(JSON.stringify(announcement)).not.toMatch(/changeit|ssword|secret/)
})

test.each([
  ['mongodb://db.example/?authMechanismProperties=AWS_SESSION_TOKEN:abc@def', 'db.example'],
  ['mongodb://one.example:27017,two.example/?x=abc@def', 'one.example:27017,two.example'],
  ['mongodb://shop:p@ssword@db.example/daybook?x=abc@def', 'db.example'],
  ['esdb://admin:p?ss@events.example:2113?tls=true', 'events.example:2113'],
  ['esdb://admin:p/s@s@events.example:2113?tls=true', 'events.example:2113'],
  ['esdb://events.example:2113?tls=true', 'events.example:2113'],
  ['redis://:p?s/s@[::1]:6379/2', '[::1]:6379'],
  ['redis://[::1]:6379/2', '[::1]:6379'],
])('Of %s nothing but the hosts is named', (url, hosts) => {
  expect(placeOf(url)).toBe(hosts)
})
