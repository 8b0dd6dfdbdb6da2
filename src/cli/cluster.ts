import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { type Connection, succeed } from './connection.ts'
import { printTable } from './output.ts'

const Answer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      roles: z.array(z.string()),
      version: z.string(),
      startedAt: z.string(),
      silentMs: z.number(),
      holds: z.array(
        z.object({
          unit: z.string(),
          shards: z.array(z.int()),
          position: z.int().optional(),
          lagMs: z.int().optional(),
          error: z.string().optional(),
        }),
      ),
    }),
  ),
})

async function processesOf(connection: Connection) {
  return Answer.parse((await succeed(connection.send('GET', '/v1/cluster'))).body).items
}

/**
 * Shows which processes run, what each of them holds and how far it is.
 * @param leaseMs how long a process may be silent; who has just come needs as long to know who is gone
 */
export async function printCluster(connection: Connection, leaseMs: number): Promise<void> {
  await sleep(leaseMs)
  const processes = await processesOf(connection)
  if (processes.length === 0) {
    console.log('There is no cluster: one process does everything, or none runs.')
    return
  }
  printTable(
    ['process', 'does', 'version', 'started', 'state'],
    processes.map(({ id, roles, version, startedAt, silentMs }) => [
      id,
      roles.join(', '),
      version,
      startedAt,
      silentMs >= leaseMs ? `silent for ${Math.round(silentMs / 1_000)} s` : 'runs',
    ]),
  )
  console.log('')
  printTable(
    ['lease', 'shards', 'process', 'position', 'behind', 'error'],
    processes
      .flatMap(({ id, holds }) =>
        holds.map(({ unit, shards, position, lagMs, error }) => [
          unit,
          shards.toSorted((one, other) => one - other).join(' '),
          id,
          position?.toString() ?? '',
          lagMs === undefined ? '' : `${lagMs} ms`,
          error ?? '',
        ]),
      )
      .sort(([one = ''], [other = '']) => one.localeCompare(other)),
  )
}
