import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startServer } from '../test/server-process.ts'
import { benchmark } from './benchmark.ts'
import { bigShop } from './read-models.ts'

const events = 1_000_000
const idleMs = 10_000
const queries = 1_000

/** What a process has in memory, all its threads together. @throws Error but on Linux */
function residentMegabytes(processId: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8')) ?? []
  if (kibibytes === undefined) throw new Error(`It is not known how much memory the process ${processId} has`)
  return (Number(kibibytes) * 1_024) / 1_000_000
}

export const memory = benchmark({
  name: 'memory',
  title: `Resident memory of \`daybook serve\` on ${events.toLocaleString('en-GB')} events, ${idleMs / 1_000} s after its start, and as long after ${queries.toLocaleString('en-GB')} queries more`,
  figures: [
    { name: 'after the start', unit: 'MB', goal: { of: 'figure', is: 'at most', value: 250 } },
    { name: 'after queries', unit: 'MB', goal: { of: 'figure', is: 'at most', value: 250 } },
  ],
  async prepare({ progress }) {
    const directory = await bigShop(events, progress)
    return {
      async round() {
        const server = startServer({ directory })
        try {
          const { url, token, processId } = await server.ready()
          await sleep(idleMs)
          const atFirst = residentMegabytes(processId)
          const headers = { authorization: `Bearer ${token}` }
          for (let asked = 0; asked < queries; asked++) {
            const path = asked % 2 === 0 ? '/v1/products?language=en&currency=EUR' : '/v1/admin/orders?limit=20'
            const answer = await fetch(url + path, { headers })
            if (!answer.ok) throw new Error(`${path} was answered ${answer.status}`)
            await answer.arrayBuffer()
          }
          await sleep(idleMs)
          return { 'after the start': atFirst, 'after queries': residentMegabytes(processId) }
        } finally {
          await server.stop()
        }
      },
    }
  },
})
