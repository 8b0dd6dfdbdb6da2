import { expect, test } from 'vitest'
import { serve } from './serve.ts'

test('A server that has started is ready, and says what is degraded', async () => {
  let degraded: readonly string[] = []
  let started = false
  const { send } = await serve({ api: { health: () => ({ started, degraded }) } })
  const ready = await send('GET /health/ready')
  expect([ready.statusCode, ready.json()]).toEqual([503, { status: 'starting', degraded: [] }])
  started = true
  expect((await send('GET /health/ready')).json()).toEqual({ status: 'ready', degraded: [] })
  degraded = ['projection venues']
  const less = await send('GET /health/ready')
  expect([less.statusCode, less.json()]).toEqual([200, { status: 'degraded', degraded: ['projection venues'] }])
  expect((await send('GET /health/live')).json()).toEqual({ status: 'live' })
})
