import { Redis, type RedisOptions } from 'ioredis'
import { UnavailableError } from '../../engine/errors.ts'

/** Connections to Redis that come back by themselves, and never let anybody wait for long. */

export interface RedisServer {
  /** redis:// or rediss:// (TLS); its password is never logged. */
  readonly url: string
  /** What the names of all keys begin with. */
  readonly prefix: string
  /** Told once of each outage, and of what the server refuses. */
  readonly onError?: (error: unknown) => void
}

export interface FastConnection {
  readonly client: Redis
  /** False while Redis is away. */
  isReady(): boolean
  /**
   * Does something with Redis, within a time.
   * @throws UnavailableError at once while Redis is away or too much is under way, and when it takes too long
   */
  run<T>(work: (client: Redis) => Promise<T>): Promise<T>
  close(): void
}

/** How long a command may take. Redis answers in a millisecond. */
const commandTimeoutMs = 2_000
/** A server that says nothing for so long is taken for gone, with all that was sent to it. */
const silenceTimeoutMs = 5_000
/** The same where long waits for an answer are usual. */
const patientSilenceTimeoutMs = 15_000
const connectTimeoutMs = 5_000
const longestReconnectDelayMs = 2_000
const maxUnderWay = 1_000

const common = {
  connectTimeout: connectTimeoutMs,
  keepAlive: 10_000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), longestReconnectDelayMs),
  // After a fail-over the old primary refuses writes: the address leads to the new one.
  reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
  replyMapping: 'legacy',
} as const satisfies RedisOptions

/** Says each error once in an outage: each try to connect has the same. */
function tellOnce(client: Pick<Redis, 'on'>, onError: (error: unknown) => void): void {
  let told: string | undefined
  client.on('error', (error: Error) => {
    if (error.message === told) return
    told = error.message
    onError(error)
  })
  client.on('ready', () => {
    told = undefined
  })
}

/** Rejects with an error that says what took too long. */
function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function unavailable(why: string, cause?: unknown): UnavailableError {
  return new UnavailableError('jobs-unavailable', `${why} See whether Redis runs and has memory left.`, 1, { cause })
}

/**
 * Connects for commands that are answered at once. While Redis is away they fail instead of queueing.
 * @param options `timeoutMs` is how long one call of `run` may take
 */
export function connectFast(
  { url, onError = () => {} }: RedisServer,
  { timeoutMs = commandTimeoutMs }: { readonly timeoutMs?: number } = {},
): FastConnection {
  const client = new Redis(url, {
    ...common,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    socketTimeout: silenceTimeoutMs,
  })
  tellOnce(client, onError)
  const opened = new Promise<void>((resolve) => {
    client.once('ready', resolve)
    client.once('close', resolve)
  })
  let underWay = 0

  return {
    client,
    isReady: () => client.status === 'ready',

    async run(work) {
      // Only those who come first wait for the connection.
      if (client.status !== 'ready') await within(timeoutMs, opened).catch(() => {})
      if (client.status !== 'ready') throw unavailable('Redis is away.')
      if (underWay >= maxUnderWay) throw unavailable(`Redis has ${maxUnderWay} commands to answer.`)
      underWay++
      try {
        return await within(timeoutMs, work(client))
      } catch (error) {
        if (error instanceof UnavailableError) throw error
        throw unavailable('Redis failed to answer.', error)
      } finally {
        underWay--
      }
    },

    close: () => client.disconnect(),
  }
}

/**
 * A connection that waits until Redis is back, for workers and those who listen. Whoever uses it has few commands under way at
 * a time, for those are kept meanwhile. A class, since BullMQ makes copies of it by itself, and leaves some behind.
 */
export class PatientConnection extends Redis {
  readonly #copies = new Set<Pick<Redis, 'disconnect'>>()
  readonly #onError: (error: unknown) => void

  constructor({ url, onError = () => {} }: RedisServer) {
    super(url, {
      ...common,
      // Longer than the longest of BullMQ's blocking commands, ten seconds.
      socketTimeout: patientSilenceTimeoutMs,
      maxRetriesPerRequest: null,
    })
    this.#onError = onError
    this.setMaxListeners(100) // each worker listens
    tellOnce(this, onError)
  }

  override duplicate<Override extends Partial<RedisOptions> | undefined = undefined>(override?: Override) {
    const copy = super.duplicate(override)
    // The original tells of outages; an error that nobody listens to would go to the console.
    tellOnce(copy, (error) => {
      if (this.status === 'ready') this.#onError(error)
    })
    this.#copies.add(copy)
    copy.once('end', () => this.#copies.delete(copy))
    return copy
  }

  /** Closes it and its copies, whatever they wait for. */
  endAll(): void {
    for (const each of [this, ...this.#copies]) each.disconnect()
  }
}
