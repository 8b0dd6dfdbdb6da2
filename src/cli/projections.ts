import { setTimeout as sleep } from 'node:timers/promises'
import { Listr } from 'listr2'
import { z } from 'zod'
import { type Connection, succeed } from './connection.ts'
import { printTable, progressLine } from './output.ts'

const Status = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      version: z.int(),
      status: z.string(),
      lag: z.int(),
      error: z.string().optional(),
      rebuildFailure: z.string().optional(),
      rebuild: z
        .object({ position: z.number(), head: z.number(), events: z.number(), elapsedMs: z.number() })
        .optional(),
    }),
  ),
})

async function statusOf(connection: Connection) {
  return Status.parse((await succeed(connection.send('GET', '/v1/projections'))).body).items
}

export async function printProjections(connection: Connection): Promise<void> {
  const rows = (await statusOf(connection)).map(({ name, version, status, lag, error, rebuild }) => [
    name,
    String(version),
    rebuild ? `${status}, rebuilding` : status,
    String(lag),
    error ?? '',
  ])
  printTable(['projection', 'version', 'status', 'behind', 'error'], rows)
}

const pollEveryMs = 200

/**
 * Builds a read model anew and shows how far it is.
 * @throws ProblemError when there is no such read model
 * @throws Error when an event can't be folded
 */
export async function rebuildProjection(connection: Connection, name: string): Promise<void> {
  await succeed(connection.send('POST', `/v1/projections/${encodeURIComponent(name)}/rebuild`))
  const list = new Listr([{ title: `Rebuild ${name}`, task: (_context, task) => watch(connection, name, task) }])
  await list.run()
}

async function watch(connection: Connection, name: string, task: { output: string }): Promise<void> {
  for (;;) {
    const own = (await statusOf(connection)).find((each) => each.name === name)
    if (own?.rebuildFailure !== undefined) throw new Error(own.rebuildFailure)
    if (!own?.rebuild) return
    const { position, head, elapsedMs } = own.rebuild
    task.output = progressLine(position, head, elapsedMs > 0 ? (position * 1_000) / elapsedMs : 0, 'positions')
    await sleep(pollEveryMs)
  }
}

export async function skipPoison(connection: Connection, name: string): Promise<void> {
  await succeed(connection.send('POST', `/v1/projections/${encodeURIComponent(name)}/skip`))
}
