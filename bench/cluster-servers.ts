import { startEventStoreServerProcess } from '../test/servers/eventstoredb/process.ts'

/** The servers that benchmarks of several processes use: those that the URLs name, or else what the tests use for them. */

export interface StartedServer {
  readonly url: string
  stop(): Promise<void>
}

/** What titles say of what was measured without the real servers. */
export const standInNote = 'provisional: on the stand-ins that the tests use for the servers'

/** The log's server, the one of `EVENTSTOREDB_URL` if it is set. */
export async function startEventStore(): Promise<StartedServer> {
  const { EVENTSTOREDB_URL: url } = process.env
  if (url !== undefined) return { url, stop: async () => {} }
  const server = await startEventStoreServerProcess()
  return { url: server.url, stop: server.kill }
}
