import { pause } from './clock.ts'
import { MemberInfo, type Role, unitOf } from './cluster-member.ts'
import type { Coordination, Lease } from './coordination.ts'
import { commandSide, type Definitions, type Engine, type EngineOptions, type Ports, projectionsOf } from './engine.ts'
import { NewerVersionError } from './errors.ts'
import { openFeed } from './feed.ts'
import { type JobWorker, runJobs } from './job-worker.ts'
import { type Held, type Ownership, ownership, type SeenMember } from './ownership.ts'
import { personalData } from './personal-data.ts'
import { type ProcessShards, processLease, processShards } from './process-shards.ts'
import { projectionLease, type ShardProjector, shardProjector, swapSignal } from './shard-projector.ts'
import { shardReaders } from './shard-readers.ts'
import type { Signal } from './signal.ts'
import { type Watch, watchLog } from './watch.ts'

/** Hash shards of each read model and process manager: the same in all processes of a cluster, for ever. */
export const clusterShards = 4

export interface ClusterPorts extends Ports {
  readonly coordination: Coordination
  readonly signal: Signal
}

export interface ClusterOptions extends Omit<EngineOptions, 'works'> {
  /** What this process does; one with none, such as a command line, only handles commands and reads. */
  readonly roles: ReadonlySet<Role>
  /** What people call this process. */
  readonly name: string
  /** Of Daybook. */
  readonly version: string
  readonly leaseMs: number
  /** Categories of the aggregates whose outcome commands can wait for. */
  readonly awaited: ReadonlySet<string>
  /** Makes ids that nobody made before. */
  readonly newId: () => string
}

export interface ClusterStatus {
  readonly members: readonly SeenMember[]
  readonly leases: readonly Lease[]
}

/** Something that a process of a role is to do. */
export interface Duty {
  /** A read model, a process manager, or `jobs`. */
  readonly name: string
  readonly role: Role
}

export interface Cluster extends Engine {
  /** Who is there and who holds what. */
  cluster(): Promise<ClusterStatus>
  /** What no process is there for; nothing where this one can't know who is there. */
  unattended(): readonly Duty[]
  /** Why this process holds nothing any more: a newer version has to go on. */
  gaveUp(): string | undefined
}

const jobsLease = 'jobs'
const askedEveryMs = 1_000
/** By then every process that an operator's request concerns has seen it. */
const requestLivesMs = 30_000

/** Puts the engine of one process of a cluster together and starts it: commands can be handled when it resolves. */
export async function startCluster(
  definitions: Definitions,
  ports: ClusterPorts,
  options: ClusterOptions,
): Promise<Cluster> {
  const { store, readStore, queue, vault, clock, coordination, signal } = ports
  const { limits, builder, roles, leaseMs, newId } = options
  const { registry, handler } = commandSide(definitions, ports, limits)
  const all = projectionsOf(definitions)
  const stopping = new AbortController()
  let share: Ownership | undefined
  let newer: string | undefined

  function onFailure(error: unknown, where: string): void {
    // A newer version goes on with what this one can't.
    if (error instanceof NewerVersionError && roles.size > 0) {
      newer = error.message
      share?.giveUp()
    }
    options.onFailure(error, where)
  }

  /** What the processes say that are there. */
  function presentInfos(): readonly MemberInfo[] {
    const present = (share?.members() ?? []).filter(({ silentMs }) => silentMs < leaseMs)
    return present.flatMap(({ info: said }) => MemberInfo.safeParse(said).data ?? [])
  }

  const readModels = shardReaders({
    store,
    readStore,
    coordination,
    signal,
    clock,
    projections: all,
    members: () => presentInfos(),
    newId,
    retirementMs: limits.retirementMs,
    onFailure,
  })

  const uninteresting = new Set([...registry.byType.keys()].filter((type) => !all.some(({ types }) => types.has(type))))
  const feed = roles.has('projector')
    ? await openFeed({
        store,
        registry,
        clock,
        filter: { exceptTypes: uninteresting },
        onFailure: (error) => onFailure(error, 'feed'),
      })
    : undefined
  const projector: ShardProjector | undefined =
    feed &&
    shardProjector({
      store,
      readStore,
      feed,
      signal,
      clock,
      projections: all,
      builder,
      shards: clusterShards,
      retirementMs: limits.retirementMs,
      isServed: ({ projection, version }) =>
        presentInfos()
          .flatMap(({ serves }) => serves)
          .some((each) => each.projection === projection && each.version === version),
      onFenced: (lease) => share?.lost(lease),
      onFailure,
    })
  const processes: ProcessShards = processShards({
    store,
    handler,
    registry,
    managers: roles.has('worker') ? definitions.processes : [],
    clock,
    maxUnderWay: limits.maxReactions,
    shards: clusterShards,
    onFailure,
  })
  const jobs: JobWorker = runJobs({
    store,
    queue,
    handler,
    registry,
    projections: readModels,
    jobs: roles.has('worker') ? definitions.jobs : [],
    clock,
    sweepEveryMs: limits.sweepEveryMs,
    onFailure,
  })

  const shards = Array.from({ length: clusterShards }, (_, shard) => shard)
  const names = [
    ...(roles.has('projector') ? all.flatMap((each) => shards.map((shard) => projectionLease(each, shard))) : []),
    ...(roles.has('worker')
      ? definitions.processes.flatMap(({ name }) => shards.map((s) => processLease(name, s)))
      : []),
    ...(roles.has('worker') ? [jobsLease] : []),
  ]
  const units = [...new Set(names.map(unitOf))]
  const duties: readonly (Duty & { readonly unit: string })[] = [
    ...all.map((each) => ({ name: each.name, role: 'projector' as const, unit: unitOf(projectionLease(each, 0)) })),
    ...definitions.processes.map(({ name }) => ({
      name,
      role: 'worker' as const,
      unit: unitOf(processLease(name, 0)),
    })),
    { name: jobsLease, role: 'worker', unit: jobsLease },
  ]
  const id = `${options.name}-${newId().slice(0, 8)}`
  const startedAt = new Date(clock.now()).toISOString()

  function info(): MemberInfo {
    return {
      name: options.name,
      roles: [...roles],
      version: options.version,
      startedAt,
      units: newer === undefined ? units : [],
      serves: all.map(({ name, version }) => ({ projection: name, version })),
      projections: [...(projector?.status() ?? [])],
      processes: [...processes.status()],
    }
  }

  function unattended(): readonly Duty[] {
    // One that does not hear of itself hears of nobody.
    const own = share?.members().find((member) => member.id === id)
    if (roles.size > 0 && (own === undefined || own.silentMs >= leaseMs)) return []
    const attended = new Set(presentInfos().flatMap((info) => info.units))
    return duties.flatMap(({ unit, ...duty }) => (attended.has(unit) ? [] : [duty]))
  }

  async function apply(held: Held): Promise<void> {
    await Promise.all([projector?.apply(held), processes.apply(held), jobs.setAlarm(held.has(jobsLease))])
  }

  const own = ownership({
    coordination,
    clock,
    id,
    ...(roles.size > 0 && { info }),
    names,
    wants: ({ info: other }, name) => Array.isArray(other.units) && other.units.includes(unitOf(name)),
    leaseMs,
    apply,
    onFailure: (error) => onFailure(error, 'cluster'),
  })
  share = own

  /** Does what operators have asked of the projections that this process runs. */
  async function serveRequests(run: ShardProjector): Promise<void> {
    let seenAtMs = new Map<string, number>()
    while (!stopping.signal.aborted) {
      await pause(clock, askedEveryMs, stopping.signal)
      try {
        const asked = await coordination.asked()
        seenAtMs = new Map(asked.map(({ id }) => [id, seenAtMs.get(id) ?? clock.monotonic()]))
        for (const { id, action, projection, eventId } of asked) {
          if (action === 'skip' && eventId !== undefined) run.skipPoison(projection, eventId)
          const isOld = clock.monotonic() - (seenAtMs.get(id) ?? 0) > requestLivesMs
          // A skip is for each process that the event has stopped, a rebuild for the one that builds.
          if (isOld || (action === 'rebuild' && run.rebuild(projection))) await coordination.settle(id)
        }
      } catch (error) {
        onFailure(error, 'cluster')
      }
    }
  }

  async function stop(): Promise<void> {
    stopping.abort()
    endListening?.()
    await serving
    await jobs.stop()
    await own.stop()
    await processes.stop()
    await projector?.stop()
    await feed?.stop()
    await watch?.stop()
    await readModels.stop()
  }

  const serving = projector && serveRequests(projector)
  const endListening = projector && signal.listen((sent) => sent.includes(swapSignal) && projector.look())
  let watch: Watch | undefined
  try {
    await readModels.start()
    const awaited: ReadonlySet<string> = roles.has('api') || roles.size === 0 ? options.awaited : new Set()
    watch = await watchLog(store, handler, clock, (error) => onFailure(error, 'watch'), awaited)
  } catch (error) {
    await stop()
    throw error
  }

  return {
    handler,
    projections: readModels,
    watch,
    personal: personalData(vault),
    processes,
    jobs,
    async cluster() {
      return { members: own.members(), leases: await coordination.leases() }
    },
    unattended,
    gaveUp: () => newer,
    stop,
  }
}
