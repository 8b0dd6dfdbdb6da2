import { rmSync, writeFileSync } from 'node:fs'
import type { Config } from './config.ts'
import { type Daybook, openDaybook } from './daybook.ts'
import type { Role } from './engine/cluster-member.ts'
import { filesOf, usesFiles } from './storage.ts'

export interface Served {
  readonly daybook: Daybook
  /** Of the API, or of the health of a process that does not serve it. */
  readonly url: string
  readonly metricsUrl: string
  /** Finishes what was accepted and ends. */
  stop(): Promise<void>
}

/**
 * Starts a server, and leaves in the data directory how the command line on this machine reaches it.
 * @param prepare what is done before anybody can ask
 * @param roles what this process of a cluster does; all of it if absent
 * @throws Error when a port is taken, and as `openDaybook`
 */
export async function serve(
  config: Config,
  { prepare, roles }: { prepare?: (daybook: Daybook) => Promise<void>; roles?: readonly Role[] } = {},
): Promise<Served> {
  const daybook = await openDaybook({ config, ...(roles && { roles }) })
  // In a cluster the command line goes to the servers itself.
  const server = usesFiles(config) ? filesOf(config.DAYBOOK_DATA_DIR).server : undefined
  async function stop(): Promise<void> {
    if (server !== undefined) rmSync(server, { force: true })
    await daybook.close()
  }
  try {
    await prepare?.(daybook)
    const { url, metricsUrl } = await daybook.listen()
    const local = { url, token: daybook.adminToken, processId: process.pid }
    if (server !== undefined) writeFileSync(server, JSON.stringify(local), { mode: 0o600 })
    return { daybook, url, metricsUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
