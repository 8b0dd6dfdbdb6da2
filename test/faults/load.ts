import { Agent, type IncomingMessage, request } from 'node:http'
import { onTestFinished } from 'vitest'

/** Requests faster than `fetch` makes them, so that the server and not the test is what is measured. */

export interface LoadRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface LoadAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly elapsedMs: number
}

/**
 * Sends requests with a token, over connections that stay open as long as the test. Who is told that the server has too
 * much to do comes again, as it says, and has waited as long.
 */
export function sender(url: string, token: string): (sent: LoadRequest) => Promise<LoadAnswer> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1_024 })
  onTestFinished(() => agent.destroy())

  function exchange({ method, path, headers, body }: LoadRequest): Promise<Omit<LoadAnswer, 'elapsedMs'>> {
    return new Promise((resolve, reject) => {
      const sending = request(new URL(path, url), {
        method,
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
      })
      sending.once('error', reject)
      sending.once('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.once('error', reject)
        response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
      })
      sending.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  return async (sent) => {
    const beganAt = performance.now()
    for (;;) {
      const answer = await exchange(sent)
      const isOverload = answer.status === 503 && answer.body.includes('"overloaded"')
      if (!isOverload) return { ...answer, elapsedMs: performance.now() - beganAt }
      await new Promise((resolve) => setTimeout(resolve, Number(answer.headers['retry-after']) * 1_000))
    }
  }
}

/**
 * Does something so many times, so many at once.
 * @returns how often it was done in a second
 */
export async function repeat(
  times: number,
  concurrency: number,
  run: (number: number) => Promise<void>,
): Promise<number> {
  const beganAt = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < times) await run(next++)
    }),
  )
  return (times * 1_000) / (performance.now() - beganAt)
}

/**
 * Does something so many times, so often in a second, whether what was begun is done or not.
 * @returns how often it was done in a second
 */
export async function repeatEvery(
  times: number,
  perSecond: number,
  run: (number: number) => Promise<void>,
): Promise<number> {
  const beganAt = performance.now()
  const begun: Promise<void>[] = []
  while (begun.length < times) {
    const due = Math.min(times, ((performance.now() - beganAt) * perSecond) / 1_000)
    while (begun.length < due) begun.push(run(begun.length))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(begun)
  return (times * 1_000) / (performance.now() - beganAt)
}

/** The value that so large a share of the values does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
