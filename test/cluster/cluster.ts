import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { z } from 'zod'
import { scopes } from '../../src/domain/api-key.ts'
import { clusterShards } from '../../src/engine/cluster.ts'
import type { Role } from '../../src/engine/cluster-member.ts'
import { projectionsOf } from '../../src/engine/engine.ts'
import { forReading } from '../../src/shop.ts'
import { environmentWith, startChild } from '../child-process.ts'
import type { Client } from '../crash/client.ts'
import { startGateway } from '../crash/gateway.ts'
import { type Journal, journal } from '../crash/journal.ts'
import { statusOf } from '../crash/rest.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { clusterClient } from './client.ts'
import { type Member, startMember } from './member.ts'
import { type Servers, startServers } from './servers.ts'
import { type Sightings, sightings } from './sightings.ts'

const presentShop = forReading([])

/** A whole cluster as a shop runs it: three servers, two processes for the API, one projector, two workers, a gateway. */
export interface Cluster {
  readonly servers: Servers
  readonly members: readonly Member[]
  readonly settings: Readonly<Record<string, string>>
  readonly gateway: Awaited<ReturnType<typeof startGateway>>
  readonly client: Client
  readonly journal: Journal
  readonly sightings: Sightings
  readonly staffToken: string
  /** Those of a role. */
  of(role: Role): readonly Member[]
  /** One more process. */
  join(name: string, role: Role): Promise<Member>
  /**
   * Resolves when every part of the work is done by somebody, and every read model has seen what was in the log when this was
   * called.
   * @param maxLagMs how far behind the log a read model may be besides
   * @returns how long that took, in milliseconds, and what it waited for in the end
   */
  caughtUp(maxLagMs?: number): Promise<{ readonly afterMs: number; readonly waitedFor: string }>
}

const usualLeaseMs = 5_000
const commandLine = join(import.meta.dirname, '../../src/cli.ts')
const longestCatchUpMs = 90_000
/** Each shard of each read model and process manager, and the jobs. */
const leases = (projectionsOf(presentShop).length + presentShop.processes.length) * clusterShards + 1
const usual: readonly (readonly [string, Role])[] = [
  ['api1', 'api'],
  ['api2', 'api'],
  ['projector1', 'projector'],
  ['worker1', 'worker'],
  ['worker2', 'worker'],
]

const ClusterAnswer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      silentMs: z.int(),
      holds: z.array(
        z.object({
          unit: z.string(),
          shards: z.array(z.int()),
          lagMs: z.int().optional(),
          error: z.string().optional(),
        }),
      ),
    }),
  ),
})

async function createKey(settings: Readonly<Record<string, string>>): Promise<string> {
  const command = ['keys', 'create', '--title', 'Test', '--scopes', scopes.join(',')]
  const made = startChild({
    command: [process.execPath, commandLine, ...command],
    environment: environmentWith(settings),
  })
  await made.ended
  const [key] = /dbk_\S+/.exec(made.output()) ?? []
  if (key === undefined) throw new Error(`No key was made:\n${made.output()}`)
  return key
}

/** Who runs what, as any process says. */
export async function membersOf(client: Client) {
  return ClusterAnswer.parse((await client.get('/v1/cluster', 'staff')).body).items
}

/**
 * Starts a cluster; all of it ends with the test.
 * @param perSecond most requests in a second of its client
 */
export async function startCluster(
  settings: Readonly<Record<string, string>> = {},
  { perSecond = 40 }: { readonly perSecond?: number } = {},
): Promise<Cluster> {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const [servers, gateway] = await Promise.all([startServers(), startGateway()])
  const all = {
    ...servers.settings,
    ...gateway.settings,
    DAYBOOK_DATA_DIR: path,
    DAYBOOK_TOKEN_SECRET: 'a secret of the tests, which are signed with it',
    DAYBOOK_RATE_LIMIT_PER_MINUTE: '100000000',
    DAYBOOK_GUEST_TOKENS_PER_MINUTE: '100000000',
    DAYBOOK_LEASE_MS: String(usualLeaseMs),
    // Starts are much of the time that tests of a cluster take.
    NODE_COMPILE_CACHE: join(path, 'compiled'),
    ...settings,
  }
  const staffToken = await createKey({ ...all, DAYBOOK_LOG_LEVEL: 'error' })
  const members: Member[] = await Promise.all(usual.map(([name, role]) => startMember(name, role, all)))
  const doors = () => members.filter(({ role }) => role === 'api')
  gateway.callBack(() => doors().find((door) => door.isUp())?.url)
  const log = journal()
  const seen = sightings()
  const client = clusterClient({
    doors,
    staffToken: () => staffToken,
    journal: log,
    sightings: seen,
    perSecond,
  })

  async function state(upTo: number, maxLagMs: number) {
    const [found, statuses] = [await membersOf(client), await statusOf(client)]
    const holds = found.filter(({ silentMs }) => silentMs < usualLeaseMs).flatMap((member) => member.holds)
    return {
      // A newer version may have more of them.
      isAllHeld: holds.reduce((sum, { shards }) => sum + shards.length, 0) >= leases,
      late: holds.filter(({ lagMs = 0 }) => lagMs > maxLagMs).map(({ unit }) => unit),
      errors: holds.flatMap(({ unit, error }) => (error === undefined ? [] : [`${unit}: ${error}`])),
      notLive: statuses.filter(({ status, position }) => status !== 'live' || position < upTo).length,
    }
  }

  return {
    servers,
    members,
    settings: all,
    gateway,
    client,
    journal: log,
    sightings: seen,
    staffToken,
    of: (wanted) => members.filter(({ role }) => role === wanted),
    async join(name, role) {
      const member = await startMember(name, role, all)
      members.push(member)
      return member
    },
    async caughtUp(maxLagMs = Number.POSITIVE_INFINITY) {
      const startedAt = performance.now()
      const upTo = Math.max(...(await statusOf(client)).map(({ position, lag }) => position + lag))
      let waitedFor = 'nothing'
      async function look() {
        const found = await state(upTo, maxLagMs)
        const { isAllHeld, late, errors, notLive } = found
        if (!isAllHeld) waitedFor = 'leases'
        else if (errors.length > 0) waitedFor = errors.join('; ').slice(0, 200)
        else if (notLive > 0) waitedFor = `${notLive} read models to come so far`
        else if (late.length > 0) waitedFor = `${late.join(', ')} to be no later than ${maxLagMs} ms`
        return found
      }
      await expect
        .poll(look, { timeout: longestCatchUpMs, interval: 200 })
        .toEqual({ isAllHeld: true, late: [], errors: [], notLive: 0 })
      return { afterMs: performance.now() - startedAt, waitedFor }
    },
  }
}
