import { setImmediate as nextTurn } from 'node:timers/promises'
import { Pool } from 'undici'
import { LoadTask } from './load-report.ts'

/** A process of its own that asks a shop: reads its task from its last argument, and writes what it saw as JSON. */

const {
  url,
  shopperToken,
  staffToken,
  seconds,
  perSecond,
  concurrency = 1,
} = LoadTask.parse(JSON.parse(process.argv.at(-1) ?? ''))
/** As many as a proxy before the shop might keep. */
const connections = 1_024
const pool = new Pool(url, { connections, pipelining: 1 })
const seen = { sent: 0, unexplained: 0 }
const latencies: { readonly served: number[]; readonly refused: number[] } = { served: [], refused: [] }
const others = new Map<string, number>()

const sales = '/v1/analytics/sales?currency=EUR&from=2018-01-01&to=2026-12-31&interval=month&timeZone=Europe/Berlin'
const page = '/v1/products?currency=EUR&language=en&limit=100'
const shopper = { authorization: `Bearer ${shopperToken}`, 'content-type': 'application/json' }

/** Work enough in each, so that it is the shop that is busy, not who asks it; and carts, which have to be written. */
const requests = [
  { method: 'GET', path: sales, headers: { authorization: `Bearer ${staffToken}` } },
  { method: 'GET', path: page },
  { method: 'GET', path: sales, headers: { authorization: `Bearer ${staffToken}` } },
  { method: 'POST', path: '/v1/carts', headers: shopper, body: '{"currency":"EUR"}' },
] as const

async function ask(): Promise<void> {
  const request = requests[seen.sent++ % requests.length] ?? requests[0]
  const sentAt = performance.now()
  try {
    const answer = await pool.request(request)
    const body = await answer.body.text()
    const tookMs = performance.now() - sentAt
    if (answer.statusCode < 300) latencies.served.push(tookMs)
    else if (answer.statusCode === 503) {
      latencies.refused.push(tookMs)
      if (answer.headers['retry-after'] === undefined || !body.includes('"code":"')) seen.unexplained++
    } else count(`${answer.statusCode} of ${request.method} ${request.path}`)
  } catch (error) {
    count(String(error))
  }
}

function count(what: string): void {
  others.set(what, (others.get(what) ?? 0) + 1)
}

async function onSchedule(rate: number): Promise<void> {
  const beganAt = performance.now()
  const asked = new Set<Promise<void>>()
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - beganAt) / 1_000) {
    while (seen.sent < elapsed * rate) {
      const asking = ask().finally(() => asked.delete(asking))
      asked.add(asking)
    }
    await nextTurn()
  }
  await Promise.all(asked)
}

async function asAnswered(): Promise<void> {
  const until = performance.now() + seconds * 1_000
  const client = async () => {
    while (performance.now() < until) await ask()
  }
  await Promise.all(Array.from({ length: concurrency }, client))
}

await (perSecond === undefined ? asAnswered() : onSchedule(perSecond))
await pool.close()
const [served, refused] = [latencies.served, latencies.refused].map((each) => each.sort((a, b) => a - b))
process.stdout.write(JSON.stringify({ ...seen, seconds, served, refused, others: Object.fromEntries(others) }))
