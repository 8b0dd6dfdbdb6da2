import { rmSync, writeFileSync } from 'node:fs'
import type { Config } from './config.ts'
import { type Daybook, daybook } from './daybook.ts'
import type { Role } from './engine/cluster-member.ts'
import type { Extension } from './extension.ts'
import { filesOf, usesFiles } from './storage.ts'

export interface Served {
  readonly daybook: Daybook
  /** Of the API, or of the health of a process that does not serve it. */
  readonly url: string
  readonly metricsUrl: string
  /** Finishes what was accepted and ends. */
  stop(): Promise<void>
}

export interface ServeOptions {
  readonly extensions?: readonly Extension[]
  /** What this process of a cluster does; all of it if absent. */
  readonly roles?: readonly Role[]
  /** What is done before anybody can ask. */
  readonly prepare?: (daybook: Daybook) => Promise<void>
}

/**
 * Starts a server, and leaves in the data directory how the command line on this machine reaches it.
 * @throws Error when a port is taken, and as `daybook`
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<Served> {
  const { prepare, extensions, roles } = options
  const opened = await daybook({ config, ...(extensions && { extensions }), ...(roles && { roles }) })
  // In a cluster the command line goes to the servers itself.
  const server = usesFiles(config) ? filesOf(config.DAYBOOK_DATA_DIR).server : undefined
  async function stop(): Promise<void> {
    if (server !== undefined) rmSync(server, { force: true })
    await opened.close()
  }
  try {
    await prepare?.(opened)
    const { url, metricsUrl } = await opened.listen()
    const local = { url, token: opened.adminToken, processId: process.pid }
    if (server !== undefined) writeFileSync(server, JSON.stringify(local), { mode: 0o600 })
    return { daybook: opened, url, metricsUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
