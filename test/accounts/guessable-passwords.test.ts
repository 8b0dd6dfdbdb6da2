import { expect, test } from 'vitest'
import { isGuessable, isPersonal } from '../../src/accounts/guessable-passwords.ts'

const ada = { email: 'Ada.L@example.com', name: 'Ada Lovelace' }

test.each([
  'aaaaaaaaaa',
  '        ',
  'AaAaAaAaAa',
  'ééééééééé'.normalize('NFD'),
  '🫖🫖🫖🫖',
  'aaaa aaaa',
  'daybook1',
  'Daybook!!2026',
  'ＤＡＹＢＯＯＫ１',
])('everybody guesses %j', (password) => {
  expect(isGuessable(password)).toBe(true)
})

test.each(['aaaaaaaab', 'daybooks1', 'my daybook', 'daybook123456789', 'correct horse battery staple'])(
  'not everybody guesses %j',
  (password) => {
    expect(isGuessable(password)).toBe(false)
  },
)

test.each([
  'ada.l@example.com',
  'ADA.L@EXAMPLE.COM!',
  'ada.l123',
  ' Ada.L 2026 ',
  'Ada Lovelace',
  'adalovelace1',
  'ada lovelace 01!?',
])('who knows the person guesses %j', (password) => {
  expect(isPersonal(password, ada)).toBe(true)
})

test.each(['ada.lamp', 'lovelace1', 'ada lovelace likes tea', 'ada.l123456789', 'example.com', '12345678'])(
  'who knows the person does not guess %j',
  (password) => {
    expect(isPersonal(password, ada)).toBe(false)
  },
)
