import { random } from '../src/cli/random.ts'
import { answerParent } from './child.ts'
import { type Connection, openConnection, type Sent, succeed } from './connection.ts'
import { latencies } from './latencies.ts'
import { Job, type JobOf, type Outcome } from './load-job.ts'
import { buy } from './purchase.ts'

/** The load, as a process of its own. Each of its shoppers and readers has a connection of its own. */

/** Connections are kept from round to round. */
const connections = new Map<string, Connection[]>()

function connectionsTo(url: string, count: number): readonly Connection[] {
  const open = connections.get(url) ?? []
  connections.set(url, open)
  while (open.length < count) open.push(openConnection(url))
  return open.slice(0, count)
}

/** Lets each connection do one thing after another until the time is over; what was begun is finished. */
async function closedLoop(
  { url, concurrency, durationMs }: { url: string; concurrency: number; durationMs: number },
  once: (connection: Connection, timed: (milliseconds: number) => void) => Promise<void>,
): Promise<Outcome> {
  const took = latencies()
  let count = 0
  const beganMs = performance.now()
  await Promise.all(
    connectionsTo(url, concurrency).map(async (connection) => {
      while (performance.now() - beganMs < durationMs) {
        await once(connection, took.add)
        count++
      }
    }),
  )
  const seconds = (performance.now() - beganMs) / 1_000
  return { count, perSecond: count / seconds, p50Ms: took.quantile(0.5), p99Ms: took.quantile(0.99) }
}

const { between } = random(3_000)

function purchases({ tokens, skus, ...job }: JobOf<'purchases'>): Promise<Outcome> {
  let next = between(0, tokens.length - 1)
  return closedLoop(job, async (connection, timed) => {
    next = (next + 1) % tokens.length
    const first = between(0, skus.length - 1)
    const second = (first + between(1, skus.length - 1)) % skus.length
    const lines = [first, second].flatMap((place) => skus[place] ?? [])
    await buy(connection, tokens[next] ?? '', lines, timed)
  })
}

function queries({ queries, ...job }: JobOf<'queries'>): Promise<Outcome> {
  const requests = queries.map(
    ({ path, token }): Sent => ({
      method: 'GET',
      path,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    }),
  )
  let next = 0
  return closedLoop(job, async (connection, timed) => {
    next = (next + 1) % requests.length
    const request = requests[next]
    if (request === undefined) return
    const beganMs = performance.now()
    await succeed(connection, request)
    timed(performance.now() - beganMs)
  })
}

answerParent(async (question) => {
  const job = Job.parse(question)
  return job.kind === 'purchases' ? await purchases(job) : await queries(job)
})
