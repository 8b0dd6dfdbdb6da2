import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Role } from '../src/engine/cluster-member.ts'
import type { Surroundings } from './benchmark.ts'
import { type Child, startChild } from './child.ts'
import { type ServerUrls, startServers } from './cluster-servers.ts'
import { type ClusterWatch, watchCluster } from './cluster-watch.ts'
import { Address, type Shop, settingsOfServer, staffOf } from './shop.ts'

/** A shop of several processes. */

export interface ClusterProcess {
  readonly name: string
  readonly role: Role
  /** Of the API, where it serves that. */
  readonly url: string
  /** Ends it as a lost power supply would. */
  kill(): void
}

export interface ClusterShop extends Pick<Shop, 'send' | 'rest'> {
  readonly watch: ClusterWatch
  readonly processes: readonly ClusterProcess[]
  /** Of all its processes. */
  readonly settings: Readonly<Record<string, string>>
  /** Starts one more process. */
  start(name: string, role: Role): Promise<ClusterProcess>
}

/** The environment of all processes of one cluster. All settings but the limits of rates are the defaults. */
function settingsOf(urls: ServerUrls, directory: string): Readonly<Record<string, string>> {
  return {
    ...settingsOfServer(),
    ...urls,
    DAYBOOK_DATA_DIR: mkdtempSync(join(directory, 'data-')),
    DAYBOOK_LOG_LEVEL: 'error',
  }
}

/**
 * Starts servers and processes. All of it ends with the benchmark.
 * @param roles by the names of the processes; one of them at least serves the API
 */
export async function startClusterShop(
  roles: Readonly<Record<string, Role>>,
  { directory, profileDirectory, progress, defer }: Surroundings,
): Promise<ClusterShop> {
  const urls = await startServers({ defer })
  const settings = settingsOf(urls, directory)
  const watch = await watchCluster(urls)
  defer(watch.close)
  const processes: ClusterProcess[] = []

  async function startProcess(name: string, role: Role) {
    const child: Child = startChild('./cluster-server.ts', {
      environment: { ...settings, DAYBOOK_MEMBER: name },
      profileDirectory,
    })
    let isKilled = false
    defer(async () => {
      if (!isKilled) await child.stop()
    })
    const address = Address.parse(await child.ask({ role }))
    const started: ClusterProcess = {
      name,
      role,
      url: address.url,
      kill() {
        isKilled = true
        process.kill(child.processId, 'SIGKILL')
      },
    }
    processes.push(started)
    return { started, address }
  }

  progress('starts its processes')
  const all = await Promise.all(Object.entries(roles).map(([name, role]) => startProcess(name, role)))
  const door = all.find(({ started }) => started.role === 'api')
  if (door === undefined) throw new Error('No process serves the API')
  const staff = staffOf(door.address)
  defer(staff.close)
  return {
    send: staff.send,
    rest: watch.rest,
    watch,
    processes,
    settings,
    start: async (name, role) => (await startProcess(name, role)).started,
  }
}
