import { type Command, Option } from 'commander'
import { type Config, ConfigError, readConfig } from '../config.ts'
import { type Role, roles } from '../engine/cluster-member.ts'
import type { Extension } from '../extension.ts'
import { serve } from '../main.ts'
import { announce, announcementOf } from './announcement.ts'
import { connecting } from './connection.ts'
import { stopOnSignal } from './ending.ts'

/** Without `--demo` nothing is made up: the secret that tokens are signed with must be given. */
function assertServable(config: Config): void {
  if (config.DAYBOOK_TOKEN_SECRET !== undefined) return
  throw new ConfigError(
    'DAYBOOK_TOKEN_SECRET is not set. Make one (openssl rand -base64 48) and set it, or its file as DAYBOOK_TOKEN_SECRET_FILE. To look around first: daybook serve --demo',
  )
}

/** How a shop is served, and made up. */
export function servingCommands(program: Command, extensions: readonly Extension[]): void {
  const withConnection = connecting(extensions)

  program
    .command('serve')
    .description('run the shop: its API, its read models and its work')
    .option('--demo', 'make up a shop on an empty store, and pay with the sandbox gateway')
    .addOption(
      new Option('--role <role>', 'what this process of a cluster does').choices([...roles, 'all']).default('all'),
    )
    .action(async ({ demo, role }: { demo?: boolean; role: Role | 'all' }) => {
      const config = readConfig()
      if (demo) {
        if (role !== 'all') throw new ConfigError('The demo shop is served by one process: leave out --role.')
        const { serveDemo } = await import('./demo.ts')
        const { stop } = await serveDemo(config, extensions)
        stopOnSignal(stop)
        return
      }
      assertServable(config)
      const does = role === 'all' ? roles : [role]
      const served = await serve(config, { extensions, roles: does })
      stopOnSignal(served.stop)
      const gateways = extensions.flatMap(({ gateways = [] }) => gateways.map(({ name }) => name))
      announce(announcementOf(served, config, { roles: does, gateways }), process.stdout, (facts, message) =>
        served.daybook.api.log.info(facts, message),
      )
    })

  program
    .command('seed')
    .description('make the demo shop')
    .action(() =>
      withConnection(async (connection) => {
        const { seedWithProgress } = await import('./seed.ts')
        await seedWithProgress(connection)
        console.log('The demo shop is there.')
      }),
    )
}
