import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { guest, shopClient, stock } from '../integration/shop-client.ts'
import { startServer } from '../server-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { unlimited } from './crowd.ts'
import { type LoadTask, Seen } from './load-report.ts'

const run = promisify(execFile)
const loadFile = fileURLToPath(new URL('./open-load.ts', import.meta.url))

/** What the shop promises. */
const longestP99Ms = 1_000
const recoveryMs = 5_000
const mostMemoryMiB = 512
/** A machine that others use has bad moments; a server that refuses nothing has no good one. */
const rounds = 6
const loadSeconds = 6

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** The share of a core that a busy process gets on this machine now. */
function freeShare(): number {
  const beganAt = performance.now()
  const before = process.cpuUsage()
  while (performance.now() - beganAt < 100);
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000 / (performance.now() - beganAt)
}

/** Waits, though not for long, until what is measured is the server and not its neighbours. */
async function quiet(): Promise<number> {
  let share = 0
  function look(): boolean {
    share = freeShare()
    return share >= 0.8
  }
  // A machine that stays busy is tried on all the same.
  await vi.waitUntil(look, { timeout: 10_000, interval: 400 }).catch(() => {})
  return share
}

async function openShopProcess() {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const { DAYBOOK_MAX_TURN_MS: _, ...settings } = unlimited
  const server = startServer({ directory: path, settings })
  onTestFinished(() => server.kill())
  const { url, token, processId } = await server.ready()
  const shop = shopClient({ url, token, sandboxUrl: url })
  await stock(shop)
  for (let number = 0; number < 100; number++) {
    await shop.post('/v1/products', {
      id: `teapot-${number}`,
      slug: `teapot-${number}`,
      texts: { en: { title: `Blue teapot ${number}`, description: 'Holds one litre.' } },
      categoryIds: ['kitchen'],
      variants: [{ sku: `TEAPOT-${number}`, prices: { EUR: 2499 } }],
      publish: true,
    })
  }
  const shopper = await guest(shop)

  async function load(task: Omit<LoadTask, 'url' | 'shopperToken' | 'staffToken'>): Promise<Seen> {
    const sent = JSON.stringify({ url, shopperToken: shopper.token, staffToken: token, ...task })
    const { stdout } = await run(process.execPath, [loadFile, sent], { maxBuffer: 100_000_000 })
    return Seen.parse(JSON.parse(stdout))
  }

  function memoryMiB(): number {
    const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${processId}/status`, 'utf8')) ?? []
    return Number(kibibytes) / 1_024
  }

  /** Asks for its health until it is told to stop. */
  function watchHealth() {
    const answers = new Set<number>()
    let isOver = false
    const watching = (async () => {
      while (!isOver) answers.add((await fetch(`${url}/health/live`)).status)
    })()
    return async () => {
      isOver = true
      await watching
      return answers
    }
  }

  return { shop, shopper, load, memoryMiB, watchHealth }
}

/** How long it takes until many requests in a row are answered well. */
async function recovery({ shop, shopper }: Awaited<ReturnType<typeof openShopProcess>>): Promise<number> {
  const beganAt = performance.now()
  for (let good = 0; good < 20; ) {
    const { status, headers } = await shop.send('POST', '/v1/carts', {
      body: { currency: 'EUR' },
      token: shopper.token,
    })
    const position = headers.get('daybook-position')
    const read =
      position === null
        ? undefined
        : await shop.send('GET', '/v1/carts?limit=1', {
            token: shopper.token,
            headers: { 'daybook-position': position },
          })
    good = status === 201 && read?.status === 200 ? good + 1 : 0
    if (performance.now() - beganAt > 60_000) return Number.POSITIVE_INFINITY
  }
  return performance.now() - beganAt
}

test('three times the load that it can serve: what is too much is refused at once, the rest is served in time', async () => {
  const server = await openShopProcess()
  await server.load({ seconds: 2, concurrency: 16 })
  const seen = []
  for (let round = 0; round < rounds; round++) {
    const share = await quiet()
    const able = await server.load({ seconds: 2, concurrency: 32 })
    const perSecond = (3 * able.served.length) / able.seconds
    const stopWatching = server.watchHealth()
    const { served, refused, unexplained, others } = await server.load({ seconds: loadSeconds, perSecond })
    const health = await stopWatching()
    const recoveredMs = await recovery(server)

    expect({ others, unexplained, health }).toEqual({ others: {}, unexplained: 0, health: new Set([200]) })
    expect(refused.length).toBeGreaterThan(0)
    expect(served.length).toBeGreaterThan(0)
    expect(server.memoryMiB()).toBeLessThan(mostMemoryMiB)
    const p99Ms = { served: quantile(served, 0.99), refused: quantile(refused, 0.99) }
    seen.push({ share, perSecond, served: served.length, refused: refused.length, p99Ms, recoveredMs })
    if (Math.max(p99Ms.served, p99Ms.refused) < longestP99Ms && recoveredMs < recoveryMs) return
  }
  expect.fail(`In no round was all answered within ${longestP99Ms} ms: ${JSON.stringify(seen, null, 1)}`)
}, 240_000)
