import { expect, onTestFinished, test } from 'vitest'
import { metrics } from '../../src/api/metrics.ts'
import { sources } from './metric-sources.ts'
import { serve } from './serve.ts'

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
    'daybook_projection_lag_seconds{projection="venues"} 1.5',
    'daybook_process_lag_seconds{process="fulfil"} 0.25',
    'daybook_process_failing{process="fulfil"} 1',
    'daybook_process_reactions_total{process="fulfil"} 9',
    'daybook_commands_waiting 4',
    'daybook_events_appended_total 12',
    'daybook_waiters{for="outcome"} 7',
    'daybook_cache_hits_total{cache="folds"} 8',
    'daybook_open_work_overdue_seconds{job="pay"} 60',
    'daybook_dead_letters{name="pay"} 3',
    'daybook_dead_letters{name="fulfil"} 0',
    'daybook_disk_free_bytes 50',
    'daybook_jobs{state="dead"} 4',
    'daybook_cache_hits_total{cache="documents"} 80',
    'daybook_projection_rebuild_ratio{projection="bookings"} 0.25',
    'daybook_info{version="1.2.3"} 1',
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

test('What can’t be known now is left out', async () => {
  const figures = async () => ({
    ...(await sources.figures()),
    jobs: undefined,
    disk: undefined,
    deadLetters: undefined,
  })
  const measured = metrics({ ...sources, figures })
  onTestFinished(() => measured.close())
  const text = await scrape(await measured.listen(0, '127.0.0.1'))
  for (const name of ['daybook_jobs', 'daybook_disk_free_bytes', 'daybook_dead_letters']) {
    expect(text).not.toMatch(new RegExp(`^${name}[{ ]`, 'm'))
  }
  expect(text).toContain('daybook_commands_waiting 4')
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
