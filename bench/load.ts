import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { random } from '../src/cli/random.ts'
import { answerParent } from './child.ts'
import { type Connection, type Sent, succeed } from './connection.ts'
import { Job, type JobOf, type Outcome } from './load-job.ts'
import { closedLoop, onSchedule } from './loops.ts'
import { buy } from './purchase.ts'

/** The load, as a process of its own. */

const Versioned = z.object({ revision: z.int() })

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

type Request = JobOf<'schedule'>['requests'][number]

/** What makes each request anew: a command is another one each time. */
function sent({ path, token, body }: Request): () => Sent {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  if (body === undefined) {
    const query: Sent = { method: 'GET', path, headers: authorization }
    return () => query
  }
  const text = JSON.stringify(body)
  return () => {
    const headers = { ...authorization, 'content-type': 'application/json', 'idempotency-key': randomUUID() }
    return { method: 'POST', path, headers, body: text }
  }
}

/** What sends one of the requests after the other, and begins again behind the last. */
function inTurn(requests: readonly Request[]): (connection: Connection) => Promise<void> {
  const made = requests.map(sent)
  let next = 0
  return async (connection) => {
    const make = made[next]
    next = (next + 1) % made.length
    if (make) await succeed(connection, make())
  }
}

function queries({ queries, ...job }: JobOf<'queries'>): Promise<Outcome> {
  const sendNext = inTurn(queries)
  return closedLoop(job, async (connection, timed) => {
    const beganMs = performance.now()
    await sendNext(connection)
    timed(performance.now() - beganMs)
  })
}

function schedule({ requests, ...job }: JobOf<'schedule'>): Promise<Outcome> {
  const sendNext = inTurn(requests)
  return onSchedule(job, async (connection, dueMs, timed) => {
    await sendNext(connection)
    timed(performance.now() - dueMs)
  })
}

function reactions({ carts, ...job }: JobOf<'reactions'>): Promise<Outcome> {
  let count = 0
  return onSchedule(job, async (connection, _dueMs, timed) => {
    const cart = carts[count % carts.length]
    if (cart === undefined) return
    // Another one each time that it is this cart's turn.
    const quantity = 1 + (Math.floor(count / carts.length) % 9)
    count++
    const { cartId, sku, token } = cart
    const change = sent({ path: `/v1/carts/${cartId}/quantity`, token, body: { sku, quantity } })()
    const { position = '', body: accepted } = await succeed(connection, change)
    const appendedMs = performance.now()
    const headers = { authorization: `Bearer ${token}`, 'daybook-position': position }
    const { body } = await succeed(connection, { method: 'GET', path: `/v1/carts/${cartId}`, headers })
    timed(performance.now() - appendedMs)
    const [written, read] = [accepted, body].map((json) => Versioned.parse(JSON.parse(json.toString())).revision)
    if (written === undefined || read === undefined || read < written)
      throw new Error(`The cart ${cartId} was read as it was before its command`)
  })
}

answerParent(async (question) => {
  const job = Job.parse(question)
  switch (job.kind) {
    case 'purchases':
      return await purchases(job)
    case 'queries':
      return await queries(job)
    case 'schedule':
      return await schedule(job)
    case 'reactions':
      return await reactions(job)
  }
})
