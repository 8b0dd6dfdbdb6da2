import { expect, test } from 'vitest'
import { parseSettings } from '../../../src/adapters/sandbox/settings.ts'
import { secret } from './sandbox.ts'

test('all settings but the secret have a default, also where they are empty', () => {
  const settings = parseSettings({ SANDBOX_SECRET: secret, SANDBOX_PORT: '', SANDBOX_CALLBACK_URL: '', OTHER: 'x' })
  expect(settings).toEqual({
    secret,
    host: '127.0.0.1',
    port: 4010,
    answer: 'at-once',
    callbackDelayMs: 500,
    callbackRetries: 8,
    callbackRetryDelayMs: 500,
    callbackTimeoutMs: 5_000,
    twiceShare: 0,
    outOfOrderShare: 0,
    neverShare: 0,
    refusedShare: 0,
    failedShare: 0,
    hangShare: 0,
    maxPayments: 50_000,
    pageOrigins: [],
    seed: 'daybook',
  })
})

test('settings are read from their names', () => {
  const settings = parseSettings({
    SANDBOX_SECRET: secret,
    SANDBOX_HOST: '0.0.0.0',
    SANDBOX_PORT: '0',
    SANDBOX_CALLBACK_URL: 'http://127.0.0.1:3000/callbacks',
    SANDBOX_PUBLIC_URL: 'https://pay.example',
    SANDBOX_PAGE_ORIGINS: 'https://shop.example,http://127.0.0.1:3001',
    SANDBOX_ANSWER: 'pending',
    SANDBOX_CALLBACK_DELAY_MS: '0',
    SANDBOX_OUT_OF_ORDER_SHARE: '0.25',
    SANDBOX_SEED: '7',
  })
  expect(settings).toMatchObject({
    host: '0.0.0.0',
    port: 0,
    callbackUrl: 'http://127.0.0.1:3000/callbacks',
    publicUrl: 'https://pay.example',
    pageOrigins: ['https://shop.example', 'http://127.0.0.1:3001'],
    answer: 'pending',
    callbackDelayMs: 0,
    outOfOrderShare: 0.25,
    seed: '7',
  })
})

test('what is wrong is named, all at once, without its value', () => {
  const wrong = {
    SANDBOX_PORT: '70000',
    SANDBOX_ANSWER: 'perhaps',
    SANDBOX_CALLBACK_URL: 'javascript:alert(1)',
    SANDBOX_HANG_SHARE: 'often',
    SANDBOX_PAGE_ORIGINS: 'https://shop.example/a-path',
    SANDBOX_CALLBACK_DELAY_MS: '1.5',
  }
  const names = [...Object.keys(wrong), 'SANDBOX_SECRET']
  for (const name of names) expect(() => parseSettings(wrong)).toThrow(new RegExp(`^${name}: `, 'm'))
  for (const value of ['70000', 'perhaps', 'alert', 'often', 'a-path'])
    expect(() => parseSettings(wrong)).not.toThrow(value)
})
