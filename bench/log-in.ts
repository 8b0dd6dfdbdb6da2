import { z } from 'zod'
import { passwords } from '../src/accounts/passwords.ts'
import { forEach } from '../src/cli/courier.ts'
import { benchmark } from './benchmark.ts'
import { startChild } from './child.ts'
import { openConnection } from './connection.ts'
import { settingsOfServer } from './shop.ts'

const password = 'correct horse battery staple'
const accounts = 50
/** Wrong passwords of each account in a round: fewer than would lock it, for a log-in forgets them. */
const triesOfAccount = 4
const tries = accounts * triesOfAccount
const logIns = 200
const concurrency = 8

/** Networks that nobody has, a new one each time: limits are by address, and none is to be reached. */
function addresses(): () => string {
  let count = 0
  return () => `198.18.${(++count >> 8) & 255}.${count & 255}`
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export const logIn = benchmark({
  name: 'log-in',
  title: `Wrong passwords for addresses that have an account and for such that have none, by turns, ${tries} each, one at a time; then ${logIns} log-ins with the right password, ${concurrency} at once, of ${accounts} customers`,
  figures: [
    { name: 'known address', unit: 'ms, mean' },
    { name: 'unknown address', unit: 'ms, mean' },
    { name: 'slower to quicker', unit: 'times', goal: { of: 'figure', is: 'at most', value: 1.1 } },
    {
      name: 'throughput',
      unit: 'log-ins/s',
      limit: `the same passwords compared by argon2id alone, with nothing around it, ${concurrency} at once`,
      goal: { of: 'ratio', is: 'at least', value: 0.8 },
    },
  ],
  async prepare({ directory, profileDirectory, progress, defer }) {
    const child = startChild('./log-in-server.ts', {
      environment: {
        ...settingsOfServer(),
        DAYBOOK_DATA_DIR: directory,
        DAYBOOK_ACCOUNT_REQUESTS_PER_MINUTE: '1000000',
        DAYBOOK_TRUST_PROXY: '127.0.0.1',
      },
      profileDirectory,
    })
    defer(child.stop)
    const emails = Array.from({ length: accounts }, (_, place) => `customer-${place + 1}@example.com`)
    progress(`opens ${accounts} accounts`)
    const url = z.string().parse(await child.ask({ emails, password }))
    const nextAddress = addresses()
    const connections = Array.from({ length: concurrency }, () => openConnection(url))
    defer(async () => void (await Promise.all(connections.map((each) => each.close()))))
    const free = [...connections]

    /** @returns milliseconds until the answer */
    async function send(email: string, sent: string, wanted: number): Promise<number> {
      const connection = free.pop()
      if (connection === undefined) throw new Error(`No more than ${concurrency} requests can be sent at once`)
      try {
        const headers = { 'content-type': 'application/json', 'x-forwarded-for': nextAddress() }
        const body = JSON.stringify({ email, password: sent })
        const beganMs = performance.now()
        const answer = await connection.send({ method: 'POST', path: '/v1/accounts/log-in', headers, body })
        const tookMs = performance.now() - beganMs
        if (answer.status !== wanted) throw new Error(`A log-in was answered ${answer.status} ${answer.body}`)
        return tookMs
      } finally {
        free.push(connection)
      }
    }

    async function logInAll(): Promise<void> {
      const asked = Array.from({ length: logIns }, (_, turn) => emails[turn % accounts] ?? '')
      await forEach(asked, concurrency, (email) => send(email, password, 201).then(() => {}))
    }

    let strangers = 0
    async function guess(): Promise<{ readonly known: number; readonly unknown: number }> {
      const known: number[] = []
      const unknown: number[] = []
      for (let turn = 0; turn < tries; turn++) {
        known.push(await send(emails[turn % accounts] ?? '', 'a wrong password', 401))
        unknown.push(await send(`stranger-${++strangers}@example.com`, 'a wrong password', 401))
      }
      return { known: mean(known), unknown: mean(unknown) }
    }

    progress('warms up')
    await logInAll()
    return {
      async round() {
        const { known, unknown } = await guess()
        const beganMs = performance.now()
        await logInAll()
        const throughput = (logIns * 1_000) / (performance.now() - beganMs)
        return {
          'known address': known,
          'unknown address': unknown,
          'slower to quicker': Math.max(known, unknown) / Math.min(known, unknown),
          throughput,
        }
      },

      async limit() {
        const { hash, verify } = passwords()
        const kept = await hash(password)
        const beganMs = performance.now()
        const all = Array.from({ length: logIns })
        await forEach(all, concurrency, async () => void (await verify(password, kept)))
        return { throughput: (logIns * 1_000) / (performance.now() - beganMs) }
      },
    }
  },
})
