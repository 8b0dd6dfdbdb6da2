import { expect, onTestFinished, test } from 'vitest'
import { type MetricSources, metrics } from '../../src/api/metrics.ts'
import { serve } from './serve.ts'

const sources: MetricSources = {
  projections: () => [
    { name: 'venues', version: 1, status: 'live', position: 7, lag: 2 },
    { name: 'bookings', version: 1, status: 'stopped', position: 3, lag: 6, error: 'poison' },
  ],
  processes: () => [{ name: 'fulfil', position: 5 }],
  waitingCommands: () => 4,
  health: () => ({ started: true, degraded: ['bookings'] }),
  isDraining: () => false,
}

async function scrape(port: number): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
}

test('Requests and commands are counted by route and outcome, on a port of their own', async () => {
  const measured = metrics(sources)
  onTestFinished(() => measured.close())
  const port = await measured.listen(0, '127.0.0.1')
  const { openVenue, send, staff } = await serve({ api: { metrics: measured } })
  const { position } = (await openVenue('globe')).json()
  await send('POST /v1/venues', { as: staff, body: { slug: 'rose', title: 'Forbidden' } })
  await send('GET /v1/venues/globe', { headers: { 'daybook-position': position } })
  await send('GET /nothing')
  const text = await scrape(port)
  const count = (labels: string) => new RegExp(`duration_seconds_count{${labels}} (\\d+)`).exec(text)?.[1]
  expect(count('method="POST",route="/v1/venues",status="201"')).toBe('1')
  expect(count('method="POST",route="/v1/venues",status="409"')).toBe('1')
  expect(count('method="GET",route="/v1/venues/{venueId}",status="200"')).toBe('1')
  expect(count('method="GET",route="none",status="404"')).toBe('1')
  expect(text).toContain('daybook_commands_total{command="openVenue",outcome="accepted"} 1')
  expect(text).toContain('daybook_commands_total{command="openVenue",outcome="rejected"} 1')
})

test('What others know is asked for when somebody looks', async () => {
  const measured = metrics(sources)
  onTestFinished(() => measured.close())
  const port = await measured.listen(0, '127.0.0.1')
  const text = await scrape(port)
  for (const line of [
    'daybook_projection_position{projection="venues"} 7',
    'daybook_projection_lag{projection="bookings"} 6',
    'daybook_projection_live{projection="venues"} 1',
    'daybook_projection_live{projection="bookings"} 0',
    'daybook_process_position{process="fulfil"} 5',
    'daybook_commands_waiting 4',
    'daybook_degraded 1',
  ]) {
    expect(text).toContain(line)
  }
  for (const quantile of ['0.5', '0.99', '0.999']) {
    expect(text).toMatch(new RegExp(`daybook_event_loop_delay_seconds\\{quantile="${quantile}"\\} \\d`))
  }
  expect(text).toMatch(/daybook_memory_bytes\{kind="heapUsed"\} \d/)
  expect((await fetch(`http://127.0.0.1:${port}/other`)).status).toBe(404)
})

test('Several servers in one process count apart', async () => {
  const [one, other] = [metrics(sources), metrics(sources)]
  onTestFinished(async () => {
    await Promise.all([one.close(), other.close()])
  })
  const port = await other.listen(0, '127.0.0.1')
  one.command('openVenue', 'accepted')
  expect(await scrape(port)).not.toContain('openVenue')
})
