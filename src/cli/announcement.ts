import { resolve } from 'node:path'
import type { Config } from '../config.ts'
import type { Role } from '../engine/cluster-member.ts'
import type { Served } from '../main.ts'
import { placeOf } from '../servers.ts'

/** What a server says once it serves: where it is reached, and where it keeps what it knows. No secret is in it. */
export interface Announcement {
  readonly version: string
  /** What this process of a cluster does; all of it where one runs alone. */
  readonly roles: readonly Role[]
  readonly addresses: Readonly<Record<string, string>>
  readonly keeps: Readonly<Record<string, string>>
  readonly payments: string
  /** Whether nothing has happened in this shop yet. */
  readonly isNew: boolean
}

/**
 * Gathers what is to be said of a server.
 * @param gateways names of the payment gateways that extensions bring
 */
export function announcementOf(
  {
    url,
    metricsUrl,
    daybook,
  }: Pick<Served, 'url' | 'metricsUrl'> & { readonly daybook: Pick<Served['daybook'], 'version' | 'isNew'> },
  config: Config,
  { roles, gateways }: { readonly roles: readonly Role[]; readonly gateways: readonly string[] },
): Announcement {
  const { EVENTSTOREDB_URL, MONGODB_URL, REDIS_URL, DAYBOOK_DATA_DIR, DAYBOOK_GATEWAYS } = config
  const directory = resolve(DAYBOOK_DATA_DIR)
  const kept = (server: string, at: string | undefined) =>
    at === undefined ? `SQLite in ${directory}` : `${server} at ${placeOf(at)}`
  const payments = [...DAYBOOK_GATEWAYS, ...gateways]
  return {
    version: daybook.version,
    roles,
    addresses: {
      ...(roles.includes('api') && { API: `${url}/v1`, Reference: `${url}/reference` }),
      Health: `${url}/health/ready`,
      Metrics: metricsUrl,
    },
    keeps: {
      Log: kept('EventStoreDB', EVENTSTOREDB_URL),
      'Read models': kept('MongoDB', MONGODB_URL),
      Jobs: kept('Redis', REDIS_URL),
    },
    payments: payments.length > 0 ? payments.join(', ') : 'none: set DAYBOOK_GATEWAYS, or add a gateway of your own',
    isNew: daybook.isNew,
  }
}

function textOf({ version, roles, addresses, keeps, payments, isNew }: Announcement): string {
  const lines = Object.entries({ ...addresses, ...keeps, Payments: payments })
  return `
Daybook ${version} serves: ${roles.join(', ')}.

${lines.map(([name, value]) => `  ${name.padEnd(14)}${value}`).join('\n')}
${isNew ? '\nNothing has happened in this shop yet. Make a staff key, in another terminal: daybook keys create --title Owner\n' : ''}
Ctrl-C stops it.
`
}

/**
 * Says it in a few lines to whoever sits at a terminal, and in one line of the log to whatever collects that.
 * @param log writes a line of the log
 */
export function announce(
  announcement: Announcement,
  output: { readonly isTTY?: boolean; write(text: string): unknown },
  log: (facts: object, message: string) => void,
): void {
  if (output.isTTY) output.write(textOf(announcement))
  else log(announcement, 'Daybook serves')
}
