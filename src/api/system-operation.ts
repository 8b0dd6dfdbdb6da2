import { z } from 'zod'
import { staff } from '../engine/access.ts'
import type { Clock } from '../engine/clock.ts'
import type { Cluster } from '../engine/cluster.ts'
import { MemberInfo, type Role, roles } from '../engine/cluster-member.ts'
import type { EventStore } from '../engine/event-store.ts'
import type { EventLoop } from './event-loop.ts'
import type { Health } from './health.ts'
import { type Operation, operation } from './operation-route.ts'
import type { PositionTokens } from './position-token.ts'
import { ProjectionState } from './projection-operations.ts'
import { ifKnown, type SystemSources, systemFigures } from './system-figures.ts'

const Count = z.int().min(0)
const Rate = z.number().min(0)
const Milliseconds = z.number().min(0)

const Technology = z.enum(['sqlite', 'eventstoredb', 'mongodb', 'redis'])

const Process = z
  .object({
    name: z.string().meta({ description: 'Process manager', example: 'fulfil-order' }),
    position: Count.meta({
      description: 'Everything up to this place in the log has been reacted to',
      example: 90_000,
    }),
    lagMs: Milliseconds.meta({
      description:
        'For how long its oldest unfinished reaction has been under way, in milliseconds; 0 where there is none',
      example: 0,
    }),
    underWay: Count.meta({ description: 'Reactions under way', example: 2 }),
    error: z.string().exactOptional().meta({ description: 'Why it does not get on', example: 'The log is away' }),
  })
  .meta({ description: 'A process manager' })

const Cache = z.object({
  entries: Count.meta({ description: 'What it holds', example: 800 }),
  hits: Count.meta({ description: 'Since the start', example: 90_000 }),
  misses: Count.meta({ description: 'Since the start', example: 1_200 }),
  hitRatio: z.number().min(0).max(1).nullable().meta({
    description: 'Share of hits; null before anybody has asked',
    example: 0.987,
  }),
})

/** How a shop does. */
export const System = z.object({
  version: z.string().meta({ description: 'Version of Daybook', example: '0.1.0' }),
  startedAt: z.iso.datetime().meta({ description: 'When this process started', example: '2026-01-01T12:00:00.000Z' }),
  uptimeMs: Milliseconds.meta({ description: 'For how long it has run, in milliseconds', example: 3_600_000 }),
  roles: z
    .array(z.enum(roles))
    .meta({ description: 'What this process does', example: ['api', 'projector', 'worker'] }),
  status: z
    .enum(['ready', 'degraded'])
    .meta({ description: 'Whether everything works as it should', example: 'ready' }),
  degraded: z.array(z.string()).meta({ description: 'What does not', example: [] }),
  profile: z
    .object({
      log: Technology.meta({ description: 'Where the log is', example: 'sqlite' }),
      readModels: Technology.meta({ description: 'Where the read models are', example: 'sqlite' }),
      jobs: Technology.meta({ description: 'Where the jobs are', example: 'sqlite' }),
    })
    .meta({ description: 'Where everything is kept' }),
  log: z
    .object({
      position: z.string().exactOptional().meta({
        description: 'The last event’s place, as `Daybook-Position`; absent while the log does not answer',
        example: 'Ymo4ZGF5Ym.2rt',
      }),
      number: Count.exactOptional().meta({ description: 'The same as a number', example: 90_000 }),
      unit: z.enum(['events', 'bytes']).meta({
        description: 'What positions, and with them `lag`, are counted in',
        example: 'events',
      }),
      appended: Count.meta({ description: 'Events that this process has appended since its start', example: 12_000 }),
      eventsPerSecond: Rate.meta({
        description: 'Events that this process appends in a second, over the last half minute',
        example: 41.5,
      }),
      waitingAppends: Count.exactOptional().meta({ description: 'Appends that wait or are under way', example: 3 }),
      waitingBytes: Count.exactOptional().meta({ description: 'What they take, in bytes', example: 4_096 }),
    })
    .meta({ description: 'The log' }),
  projections: z.array(ProjectionState).meta({ description: 'All read models' }),
  processes: z.array(Process).exactOptional().meta({
    description:
      'All process managers: of this process, or in a cluster of all of its processes together; absent while those can’t be looked at',
  }),
  unattended: z
    .array(
      z.object({
        name: z.string().meta({ description: 'Read model, process manager, or `jobs`', example: 'place-order' }),
        role: z.enum(roles).meta({ description: 'Role of the processes that run it', example: 'worker' }),
      }),
    )
    .exactOptional()
    .meta({
      description: 'What no process of the cluster is there for; absent where one process does everything',
      example: [],
    }),
  openWork: z
    .array(
      z.object({
        job: z.string().meta({ description: 'Kind of work', example: 'authorise-payment' }),
        open: Count.meta({ description: 'How much is open, of 1,000 at most', example: 4 }),
        overdue: Count.meta({ description: 'How much of it is due by now', example: 1 }),
        oldestDueAt: z.iso.datetime().exactOptional().meta({
          description: 'When the first of it is due',
          example: '2026-01-01T12:00:00.000Z',
        }),
        isMore: z.boolean().meta({ description: 'True where there is more than was counted', example: false }),
      }),
    )
    .exactOptional()
    .meta({ description: 'Work that is asked for and not settled; absent while its read model does not answer' }),
  deadLetters: z
    .object({
      count: Count.meta({ description: 'How many, of 1,000 at most', example: 1 }),
      isMore: z.boolean().meta({ description: 'True where there are more than were counted', example: false }),
      items: z
        .array(
          z.object({
            name: z.string().meta({ description: 'Process manager or job', example: 'capture-payment' }),
            count: Count.meta({ description: 'How many of them', example: 1 }),
          }),
        )
        .meta({ description: 'By what failed' }),
    })
    .exactOptional()
    .meta({ description: 'What was set aside and waits for an operator; absent while its read model does not answer' }),
  jobs: z
    .object({
      waiting: Count.meta({ description: 'Due, and not taken up yet', example: 0 }),
      active: Count.meta({ description: 'Running', example: 2 }),
      delayed: Count.meta({ description: 'Due later, or between two tries', example: 5 }),
      dead: Count.meta({ description: 'Set aside', example: 1 }),
    })
    .exactOptional()
    .meta({ description: 'The queue of jobs; absent while it does not answer' }),
  commands: z
    .object({
      waiting: Count.meta({ description: 'Commands that wait for an answer', example: 3 }),
      waitingBytes: Count.meta({ description: 'What they take, in bytes', example: 900 }),
      streams: Count.meta({ description: 'Streams that they are for', example: 2 }),
    })
    .meta({ description: 'Mailboxes of this process' }),
  waiters: z
    .object({
      positions: Count.meta({ description: 'Queries that wait for a position', example: 0 }),
      outcomes: Count.meta({ description: 'Commands that wait for the outcome of a process', example: 0 }),
    })
    .meta({ description: 'Requests of this process that wait for others' }),
  foldCache: Cache.extend({
    capacity: Count.meta({ description: 'Most streams that it holds', example: 10_000 }),
  }).meta({ description: 'States of streams that are kept in memory' }),
  documentCache: Cache.extend({
    capacityCharacters: Count.meta({ description: 'Most characters of JSON that it holds', example: 8_000_000 }),
  })
    .exactOptional()
    .meta({ description: 'Documents that are kept in memory; absent where the read store keeps none' }),
  eventLoop: z
    .object({
      delayP99Ms: Milliseconds.meta({
        description: 'The delay that 99 of 100 timers were within, in milliseconds, since somebody last asked',
        example: 1.2,
      }),
    })
    .meta({ description: 'How busy this process is' }),
  memory: z
    .object({
      rssBytes: Count.meta({ description: 'All memory of this process', example: 180_000_000 }),
      heapUsedBytes: Count.meta({ description: 'What its objects take', example: 60_000_000 }),
      heapTotalBytes: Count.meta({ description: 'What was reserved for them', example: 90_000_000 }),
    })
    .meta({ description: 'Memory of this process' }),
  disk: z
    .object({
      files: z
        .array(
          z.object({
            name: z.string().meta({ description: 'What is in them', example: 'log' }),
            bytes: Count.meta({ description: 'Size', example: 12_000_000 }),
          }),
        )
        .meta({ description: 'Files of the data directory' }),
      freeBytes: Count.meta({ description: 'What is left on its disk', example: 40_000_000_000 }),
      totalBytes: Count.meta({ description: 'Size of that disk', example: 100_000_000_000 }),
    })
    .exactOptional()
    .meta({ description: 'The data directory; absent where nothing is kept in files' }),
})

export interface SystemOptions extends SystemSources {
  readonly version: string
  readonly roles: readonly Role[]
  readonly profile: z.output<typeof System>['profile']
  readonly positions: Pick<PositionTokens, 'tokenOf'>
  readonly store: Pick<EventStore, 'head'>
  readonly health: () => Health
  readonly eventLoop: EventLoop
  /** Undefined where one process runs alone. */
  readonly cluster: Pick<Cluster, 'cluster' | 'unattended'> | undefined
  readonly clock: Pick<Clock, 'now' | 'monotonic' | 'after'>
}

function cache<C extends { readonly hits: number; readonly misses: number }>(status: C) {
  const asked = status.hits + status.misses
  return { ...status, hitRatio: asked === 0 ? null : status.hits / asked }
}

/** What all processes of a cluster say of their process managers: the shard that is furthest back counts. */
async function processesOf(cluster: Pick<Cluster, 'cluster'>): Promise<z.output<typeof Process>[]> {
  const { members, leases } = await cluster.cluster()
  const owners = new Set(leases.map(({ owner }) => owner))
  const said = members.filter(({ id }) => owners.has(id)).flatMap(({ info }) => MemberInfo.safeParse(info).data ?? [])
  const byName = Map.groupBy(
    said.flatMap(({ processes }) => processes),
    ({ name }) => name,
  )
  return Array.from(byName, ([name, shards]) => {
    const error = shards.find((each) => each.error !== undefined)?.error
    return {
      name,
      position: Math.min(...shards.map(({ position }) => position)),
      lagMs: Math.max(...shards.map(({ lagMs = 0 }) => lagMs)),
      underWay: shards.reduce((sum, { underWay }) => sum + underWay, 0),
      ...(error !== undefined && { error }),
    }
  })
}

/** Shows how a shop does, in one answer. */
export function systemOperation(options: SystemOptions): Operation {
  const { version, roles: does, profile, positions, store, health, eventLoop, cluster, clock } = options
  const startedAt = new Date(clock.now()).toISOString()
  const startedAtMs = clock.monotonic()
  return operation({
    name: 'showSystem',
    method: 'GET',
    path: '/v1/system',
    summary: 'See how the shop does',
    description:
      'Figures of the process that answers; in a cluster the read models, process managers, work and jobs are those of all. The other processes are in `/v1/cluster`.',
    who: staff('system'),
    parameters: z.object({}),
    result: System,
    status: 200,
    async run(): Promise<z.output<typeof System>> {
      const [figures, head, ofCluster] = await Promise.all([
        systemFigures(options),
        ifKnown(clock, () => store.head()),
        cluster && ifKnown(clock, () => processesOf(cluster)),
      ])
      const { degraded } = health()
      const { backlog, commands, openWork, deadLetters, readCache, jobs, disk } = figures
      const processes = cluster ? ofCluster : figures.processes.map(({ reactions: _reactions, ...own }) => own)
      const { heapUsed, heapTotal, rss } = process.memoryUsage()
      const delayP99Ms = eventLoop.delaySeconds(0.99) * 1_000
      eventLoop.reset()
      const { folds, ...mailboxes } = commands
      return {
        version,
        startedAt,
        uptimeMs: Math.round(clock.monotonic() - startedAtMs),
        roles: [...does],
        status: degraded.length > 0 ? 'degraded' : 'ready',
        degraded: [...degraded],
        profile,
        log: {
          ...(head && { position: positions.tokenOf(head.position), number: head.position }),
          unit: profile.log === 'eventstoredb' ? 'bytes' : 'events',
          appended: figures.appended.total,
          eventsPerSecond: figures.appended.perSecond,
          ...(backlog && { waitingAppends: backlog.appends, waitingBytes: backlog.bytes }),
        },
        projections: [...figures.projections],
        ...(cluster && { unattended: [...cluster.unattended()] }),
        ...(processes && { processes: [...processes] }),
        ...(openWork && {
          openWork: openWork.map(({ oldestDueAt, ...work }) => ({ ...work, ...(oldestDueAt && { oldestDueAt }) })),
        }),
        ...(deadLetters && {
          deadLetters: {
            count: deadLetters.items.reduce((sum, { count }) => sum + count, 0),
            isMore: deadLetters.isMore,
            items: [...deadLetters.items],
          },
        }),
        ...(jobs && { jobs }),
        commands: mailboxes,
        waiters: figures.waiters,
        foldCache: cache(folds),
        ...(readCache && { documentCache: cache(readCache) }),
        eventLoop: { delayP99Ms },
        memory: { rssBytes: rss, heapUsedBytes: heapUsed, heapTotalBytes: heapTotal },
        ...(disk && { disk: { ...disk, files: [...disk.files] } }),
      }
    },
  })
}
