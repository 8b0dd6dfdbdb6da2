import { rmSync, writeFileSync } from 'node:fs'
import type { Config } from './config.ts'
import { type Daybook, openDaybook } from './daybook.ts'
import { filesOf } from './storage.ts'

export interface Served {
  readonly daybook: Daybook
  readonly url: string
  readonly metricsUrl: string
  /** Finishes what was accepted and ends. */
  stop(): Promise<void>
}

/**
 * Starts a server, and leaves in the data directory how the command line on this machine reaches it.
 * @param prepare what is done before anybody can ask
 * @throws Error when a port is taken, and as `openDaybook`
 */
export async function serve(config: Config, prepare?: (daybook: Daybook) => Promise<void>): Promise<Served> {
  const daybook = await openDaybook({ config })
  const { server } = filesOf(config.DAYBOOK_DATA_DIR)
  async function stop(): Promise<void> {
    rmSync(server, { force: true })
    await daybook.close()
  }
  try {
    await prepare?.(daybook)
    const { url, metricsUrl } = await daybook.listen()
    const local = { url, token: daybook.adminToken, processId: process.pid }
    writeFileSync(server, JSON.stringify(local), { mode: 0o600 })
    return { daybook, url, metricsUrl, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
