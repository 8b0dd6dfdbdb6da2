import { z } from 'zod'
import { staff } from '../engine/access.ts'
import type { Cluster } from '../engine/cluster.ts'
import { MemberInfo, roles, unitOf } from '../engine/cluster-member.ts'
import { type Operation, operation } from './operation-route.ts'

const Count = z.int().min(0)

const Held = z
  .object({
    unit: z.string().meta({ description: 'What is shared out', example: 'projection:orders@1' }),
    shards: z.array(Count).meta({ description: 'Its hash shards that this process holds', example: [0, 3] }),
    position: Count.exactOptional().meta({ description: 'Place in the log that they have reached', example: 90_000 }),
    lagMs: Count.exactOptional().meta({ description: 'Milliseconds that they are behind the log', example: 0 }),
    error: z
      .string()
      .exactOptional()
      .meta({ description: 'Why they stand still', example: 'Projection orders fails on …' }),
  })
  .meta({ description: 'A part of the work' })

const Process = z
  .object({
    id: z.string().meta({ description: 'Name and a part that is new at each start', example: 'worker1-3f2a9c01' }),
    name: z.string().meta({ description: 'Name', example: 'worker1' }),
    roles: z.array(z.enum(roles)).meta({ description: 'What it does', example: ['worker'] }),
    version: z.string().meta({ description: 'Version of Daybook', example: '0.1.0' }),
    startedAt: z.iso.datetime().meta({ description: 'When it started', example: '2026-01-01T12:00:00.000Z' }),
    silentMs: Count.meta({ description: 'For how long nothing was heard of it', example: 800 }),
    holds: z.array(Held).meta({ description: 'What it has leases on' }),
  })
  .meta({ description: 'A process of the cluster' })

/**
 * Shows who runs what.
 * @param cluster undefined where one process runs alone
 */
export function clusterOperation(cluster: Pick<Cluster, 'cluster'> | undefined): Operation {
  return operation({
    name: 'showCluster',
    method: 'GET',
    path: '/v1/cluster',
    summary: 'See which processes run, and what each of them does',
    description: 'Empty where one process runs alone.',
    who: staff('system'),
    parameters: z.object({}),
    result: z.object({ items: z.array(Process).meta({ description: 'All processes' }) }),
    status: 200,
    async run() {
      const { members, leases } = cluster ? await cluster.cluster() : { members: [], leases: [] }
      const items = members.flatMap(({ id, info, silentMs }) => {
        const said = MemberInfo.safeParse(info).data
        if (!said) return []
        const own = leases.filter(({ owner }) => owner === id).map(({ name }) => name)
        const holds = [...new Set(own.map(unitOf))].sort().map((unit) => ({
          unit,
          shards: own.filter((name) => unitOf(name) === unit).map((name) => Number(name.split('/')[1] ?? 0)),
          ...progressOf(said, unit),
        }))
        const { name, roles: does, version, startedAt } = said
        return [{ id, name, roles: does, version, startedAt, silentMs: Math.round(silentMs), holds }]
      })
      return { items }
    },
  })
}

/** How far a process says that it is with what it holds. */
function progressOf({ projections, processes }: MemberInfo, unit: string) {
  const projection = projections.find(({ name, version }) => unit === `projection:${name}@${version}`)
  const process = processes.find(({ name }) => unit === `process:${name}`)
  const found = projection ?? process
  if (!found) return {}
  const { position, error } = found
  return { position, ...(projection && { lagMs: projection.lagMs }), ...(error !== undefined && { error }) }
}
