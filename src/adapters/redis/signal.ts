import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Signal } from '../../engine/signal.ts'
import { connectFast, PatientConnection, type RedisServer } from './connection.ts'

interface Listener {
  readonly run: (names: readonly string[]) => void
  readonly onLost: () => void
}

interface Message {
  readonly from: string
  readonly names: readonly string[]
}

/** A connection over which nothing comes may be gone without a word. */
const pingEveryMs = 5_000
const restAfterRefusalMs = 1_000

function parse(text: string): Message | undefined {
  const found: unknown = JSON.parse(text)
  if (typeof found !== 'object' || found === null || !('from' in found) || !('names' in found)) return undefined
  const { from, names } = found
  if (typeof from !== 'string' || !Array.isArray(names)) return undefined
  return { from, names: names.filter((each) => typeof each === 'string') }
}

/**
 * Opens the signal that processes give each other over Redis. In this process it comes without Redis; the others are told
 * as soon as Redis is there again.
 */
export function openRedisSignal(options: RedisServer): Signal {
  const { prefix, onError = () => {} } = options
  const channel = `${prefix}:signal`
  const self = randomUUID()
  const listeners = new Set<Listener>()
  const publisher = connectFast(options)
  const subscriber = new PatientConnection(options)
  /** What the others have not been told yet: no more than there are names. */
  let unsent = new Set<string>()
  let isSending = false
  let isClosed = false

  function tell(names: readonly string[]): void {
    for (const { run } of listeners) run(names)
  }

  async function flush(): Promise<void> {
    if (isSending || unsent.size === 0 || isClosed) return
    isSending = true
    const names = [...unsent]
    unsent = new Set()
    try {
      const message: Message = { from: self, names }
      await publisher.run((client) => client.publish(channel, JSON.stringify(message)))
    } catch (error) {
      for (const name of names) unsent.add(name) // until Redis is back, or takes them
      if (publisher.isReady()) {
        onError(error)
        await sleep(restAfterRefusalMs, undefined, { ref: false })
      }
    } finally {
      isSending = false
    }
    if (publisher.isReady()) later()
  }

  function later(): void {
    if (unsent.size > 0) setImmediate(() => void flush())
  }

  async function subscribe(): Promise<void> {
    await subscriber.subscribe(channel)
    for (const { onLost } of listeners) onLost()
  }

  publisher.client.on('ready', later)
  subscriber.on('ready', () => {
    subscribe().catch((error: unknown) => {
      if (!isClosed) onError(error)
    })
  })
  subscriber.on('message', (_channel, text) => {
    try {
      const message = parse(text)
      if (message !== undefined && message.from !== self) tell(message.names)
    } catch (error) {
      onError(error)
    }
  })
  let isPinging = false
  const pinging = setInterval(() => {
    if (isPinging || subscriber.status !== 'ready') return
    isPinging = true
    subscriber
      .ping()
      .catch(() => {})
      .finally(() => {
        isPinging = false
      })
  }, pingEveryMs).unref()

  return {
    send(names) {
      if (isClosed || names.length === 0) return
      const sent = [...names]
      queueMicrotask(() => {
        if (!isClosed) tell(sent)
      })
      if (unsent.size === 0) setImmediate(() => void flush())
      for (const name of sent) unsent.add(name)
    },

    listen(run, onLost = () => {}) {
      const listener = { run, onLost }
      if (!isClosed) listeners.add(listener)
      return () => listeners.delete(listener)
    },

    async close() {
      isClosed = true
      clearInterval(pinging)
      listeners.clear()
      publisher.close()
      subscriber.endAll()
    },
  }
}
