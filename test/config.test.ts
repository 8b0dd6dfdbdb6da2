import { expect, test } from 'vitest'
import { ConfigError, describeConfig, readConfig } from '../src/config.ts'

const trusting = (value?: string) =>
  readConfig(value === undefined ? {} : { DAYBOOK_TRUST_PROXY: value }).DAYBOOK_TRUST_PROXY

test('Proxies are trusted by number or by address, and none by default', () => {
  expect(trusting()).toEqual([])
  expect(trusting('')).toEqual([])
  expect(trusting('2')).toBe(2)
  expect(trusting('10.0.0.0/8, 192.0.2.1,2001:db8::/32')).toEqual(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32'])
})

test.each(['true', '-1', '1.5', 'proxy.example', '10.0.0.0/33', '10.0.0.1;10.0.0.2', '1,2'])(
  'No proxy is %s',
  (value) => {
    expect(() => trusting(value)).toThrow(ConfigError)
    expect(() => trusting(value)).toThrow('DAYBOOK_TRUST_PROXY: must be a number of proxies')
  },
)

test.each(['0.0.0.0/0', '10.0.0.0/8,::/0'])('Not everybody is trusted: %s', (value) => {
  expect(() => trusting(value)).toThrow('must not be everybody')
})

test('Lists are shown as they are set', () => {
  const shown = (value: string) =>
    describeConfig(readConfig({ DAYBOOK_TRUST_PROXY: value })).find(({ name }) => name === 'DAYBOOK_TRUST_PROXY')?.value
  expect(shown('10.0.0.0/8, 192.0.2.1')).toBe('10.0.0.0/8,192.0.2.1')
  expect(shown('2')).toBe('2')
})

test.each([
  ['DAYBOOK_PORT', 'http', 'must be a whole number'],
  ['DAYBOOK_PORT', '3000.5', 'must be a whole number'],
  ['DAYBOOK_PORT', '70000', 'must be at most 65535'],
  ['DAYBOOK_LEASE_MS', '10', 'must be at least 1000'],
  ['DAYBOOK_LOG_LEVEL', 'loud', 'must be one of trace, debug, info, warn, error, fatal, silent'],
  ['DAYBOOK_WEBHOOKS_ALLOW_PRIVATE', 'perhaps', 'must be one of true, '],
  ['DAYBOOK_SANDBOX_URL', 'sandbox', 'must be a URL, such as https://'],
  ['DAYBOOK_MAIL_FROM', 'a', 'must not be shorter than 3'],
  ['DAYBOOK_TOKEN_SECRET', 'short', 'must have at least 32 characters'],
  ['EVENTSTOREDB_URL', 'http://localhost', 'must begin with esdb:// or esdb+discover://'],
])('What is wrong of %s=%s is said in words: %s', (name, value, words) => {
  const read = () => readConfig({ [name]: value })
  expect(read).toThrow(`The settings are wrong:\n  ${name}: ${words}`)
  expect(read).not.toThrow(/Invalid|expected/)
})

test.each([
  ['', []],
  ['*', ['*']],
  ['null', ['null']],
  [
    'https://shop.example, http://localhost:5173,http://[::1]:8080,capacitor://localhost',
    ['https://shop.example', 'http://localhost:5173', 'http://[::1]:8080', 'capacitor://localhost'],
  ],
])('Pages may call from the origins %s', (value, origins) => {
  expect(readConfig({ DAYBOOK_CORS_ORIGINS: value }).DAYBOOK_CORS_ORIGINS).toEqual(origins)
})

test.each([
  'foo',
  'shop.example',
  'localhost:5173',
  'https://',
  'file://',
  'https://shop.example/',
  'https://shop.example/page',
  'https://shop.example?page',
  'https://shop.example:443',
  'https://Shop.example',
  'https://ada@shop.example',
  'https://*.shop.example',
])('No browser sends the origin %s', (value) => {
  expect(() => readConfig({ DAYBOOK_CORS_ORIGINS: `https://one.example,${value}` })).toThrow(
    `The settings are wrong:\n  DAYBOOK_CORS_ORIGINS: must be origins as browsers send them, separated by commas, such as https://shop.example or http://localhost:5173; ${value} is none`,
  )
})

test('What is no setting is named, with what to do', () => {
  expect(() => readConfig({ DAYBOOK_PROT: '1' })).toThrow(
    'DAYBOOK_PROT: is no setting of Daybook; unset or correct it (`daybook config` lists all)',
  )
})

test('All settings are listed, though they can’t be read', () => {
  const listed = describeConfig(undefined)
  expect(listed.map(({ name }) => name)).toEqual(describeConfig(readConfig({})).map(({ name }) => name))
  expect(new Set(listed.map(({ value }) => value))).toEqual(new Set(['(not read)']))
})
