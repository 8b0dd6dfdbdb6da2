import { expect, test } from 'vitest'
import { commonPasswords } from '../../src/accounts/common-passwords.ts'

test.each(['password', 'Password1', '12345678', 'QWERTYUIOP', 'iloveyou', 'ｐａｓｓｗｏｒｄ'])(
  'the password %s is common',
  async (password) => {
    expect(await commonPasswords().has(password)).toBe(true)
  },
)

test.each(['correct horse battery staple', 'another password', 'påsswörd with accents', 'toString', '__proto__', ''])(
  'the password %s is not',
  async (password) => {
    expect(await commonPasswords().has(password)).toBe(false)
  },
)
