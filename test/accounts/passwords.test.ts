import { argon2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { passwords } from '../../src/accounts/passwords.ts'

test('A password is kept as argon2id with a salt of its own', async () => {
  const { hash, verify } = passwords()
  const [one, other] = await Promise.all([hash('a password'), hash('a password')])
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  expect(one).not.toBe(other)
  expect(await verify('a password', one)).toBe('right')
  expect(await verify('another password', one)).toBe('wrong')
})

test('A hash of other cost is right, and to be made anew', async () => {
  const salt = Buffer.alloc(16, 3)
  const cost = { memory: 8_192, passes: 1, parallelism: 1 }
  const made = argon2Sync('argon2id', { ...cost, message: 'a password', nonce: salt, tagLength: 32 })
  const encoded = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '')
  const kept = `$argon2id$v=19$m=8192,t=1,p=1$${encoded(salt)}$${encoded(made)}`
  expect(await passwords().verify('a password', kept)).toBe('outdated')
  expect(await passwords().verify('another password', kept)).toBe('wrong')
})

test('Who has no account is as much work as who has: both wait their turn, and are refused when too many wait', async () => {
  const { hash, verify } = passwords(3)
  const kept = await hash('a password')
  const busy = Array.from({ length: 5 }, () => hash('a password'))
  const refusal = { name: 'UnavailableError', code: 'log-in-busy' }
  await expect(verify('a password', undefined)).rejects.toMatchObject(refusal)
  await expect(verify('a password', kept)).rejects.toMatchObject(refusal)
  await Promise.all(busy)
  expect(await verify('a password', undefined)).toBe('wrong')
})
