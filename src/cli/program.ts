import { Command, InvalidArgumentError, Option } from 'commander'
import { type Config, ConfigError, describeConfig, readConfig } from '../config.ts'
import { scopes } from '../domain/api-key.ts'
import { type Role, roles } from '../engine/cluster-member.ts'
import type { Extension } from '../extension.ts'
import { serve } from '../main.ts'
import { forReading } from '../shop.ts'
import { version } from '../version.ts'
import { announce, announcementOf } from './announcement.ts'
import { backup, restore } from './backup.ts'
import { call, printCallable, printCallables } from './call.ts'
import { printCluster } from './cluster.ts'
import { type Connection, connect } from './connection.ts'
import { copy } from './copy.ts'
import {
  discardDeadLetter,
  listDeadLetters,
  retryAllDeadLetters,
  retryDeadLetter,
  showDeadLetter,
} from './dead-letters.ts'
import { serveDemo } from './demo.ts'
import { exitCodes, fail, stopOnSignal, stoppedBySignal } from './ending.ts'
import { eventCatalogue } from './event-catalogue.ts'
import { printForgotten } from './forgotten.ts'
import { importOnlineRetail } from './import.ts'
import { createKey, listKeys, revokeKey } from './keys.ts'
import { printTable } from './output.ts'
import { printProjections, rebuildProjection, skipPoison } from './projections.ts'
import { type ReplayOptions, replay } from './replay.ts'
import { seedWithProgress } from './seed.ts'
import { printStatus, type StatusOptions } from './status.ts'

export interface CommandLineOptions {
  /** What the shop has beside what every shop has. */
  readonly extensions?: readonly Extension[]
  /** What was typed behind the command's name; what this process was started with if absent. Nothing at all serves the demo shop. */
  readonly args?: readonly string[]
}

function list(value: string): string[] {
  return value.split(',').map((item) => item.trim())
}

function positive(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number above zero.')
  return number
}

/** Without `--demo` nothing is made up: the secret that tokens are signed with must be given. */
function assertServable(config: Config): void {
  if (config.DAYBOOK_TOKEN_SECRET !== undefined) return
  throw new ConfigError(
    'DAYBOOK_TOKEN_SECRET is not set. Make one (openssl rand -base64 48) and set it, or its file as DAYBOOK_TOKEN_SECRET_FILE. To look around first: daybook serve --demo',
  )
}

/**
 * Runs the `daybook` command for a shop, and says what went wrong: a shop with extensions has a command line of its own by this.
 * Ends the process where it fails.
 */
export async function commandLine({
  extensions = [],
  args = process.argv.slice(2),
}: CommandLineOptions = {}): Promise<void> {
  // Whoever reads the output may have seen enough.
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(0)
    throw error
  })
  const typed = args.length === 0 ? ['serve', '--demo'] : args
  await programOf(extensions).parseAsync(typed, { from: 'user' }).catch(fail)
}

function programOf(extensions: readonly Extension[]): Command {
  const program = new Command('daybook').description('An event-sourced commerce engine').version(version)

  /** Runs a command of the line with a connection to the shop. */
  async function withConnection(run: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = await connect(readConfig(), extensions)
    try {
      await run(connection)
    } finally {
      await connection.close()
    }
  }

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

  const keys = program.command('keys').description('API keys of staff and of programs')
  keys
    .command('create')
    .description('make a key; its secret is shown this once')
    .requiredOption('--title <title>', 'what it is for')
    .option(
      '--scopes <scopes>',
      `what it may do, separated by commas, of ${scopes.join(', ')}; all but import if absent`,
      list,
    )
    .action(({ title, scopes }: { title: string; scopes?: string[] }) =>
      withConnection(async (connection) => console.log(await createKey(connection, title, scopes ?? []))),
    )
  keys
    .command('list')
    .description('show all keys, without their secrets')
    .action(() => withConnection(listKeys))
  keys
    .command('revoke <id>')
    .description('refuse a key from now on')
    .action((id: string) =>
      withConnection(async (connection) => {
        await revokeKey(connection, id)
        console.log(`The key ${id} is refused from now on.`)
      }),
    )

  program
    .command('import <format> <file>')
    .description('bring in orders of another system; format: online-retail (the CSV of the UCI data set, also .gz)')
    .option('--rejects <file>', 'where lines go that can not be imported', 'rejects.csv')
    .action((format: string, file: string, { rejects }: { rejects: string }) => {
      if (format !== 'online-retail')
        throw new InvalidArgumentError(`There is no format ${format}. There is: online-retail.`)
      const stopping = new AbortController()
      process.once('SIGINT', () => stopping.abort())
      return withConnection((connection) => importOnlineRetail(connection, file, { rejects, signal: stopping.signal }))
    })

  program
    .command('replay')
    .description('print what happened, in order')
    .option('--stream <stream>', 'only of this stream, such as order-0198f0c2')
    .option('--type <types>', 'only events of these types, separated by commas', list)
    .option('--from <time>', 'only what occurred from this time on')
    .option('--to <time>', 'only what occurred before this time')
    .option('--limit <number>', 'at most so many events', positive)
    .addOption(new Option('--format <format>', 'how').choices(['table', 'ndjson']).default('table'))
    .action((options: ReplayOptions) => replay(readConfig(), options))

  program
    .command('events')
    .description('list all events that the log can hold, with their fields and who looks at them, as Markdown')
    .action(() => {
      process.stdout.write(eventCatalogue(forReading(extensions)))
    })

  const projections = program.command('projections').description('read models: status, rebuild, skip')
  projections
    .command('status', { isDefault: true })
    .description('show how far they are')
    .action(() => withConnection(printProjections))
  projections
    .command('rebuild <name>')
    .description('build one anew from the log, while the old one answers')
    .action((name: string) => withConnection((connection) => rebuildProjection(connection, name)))
  projections
    .command('skip <name>')
    .description('let a stopped one go on behind the event that stopped it')
    .action((name: string) => withConnection((connection) => skipPoison(connection, name)))

  program
    .command('status')
    .description('show how the shop does, and what to do where something is wrong; ends with 1 where something is')
    .option('--json', 'as the API answers it')
    .option('--watch', 'again every 2 seconds')
    .action((options: StatusOptions) =>
      withConnection(async (connection) => {
        const isWell = await printStatus(connection, { ...options, leaseMs: readConfig().DAYBOOK_LEASE_MS })
        if (!isWell) process.exitCode = exitCodes.failed
      }),
    )

  const deadLetters = program.command('dead-letters').description('what failed for good: list, show, retry, discard')
  deadLetters
    .command('list', { isDefault: true })
    .description('show all, the newest first')
    .action(() => withConnection(listDeadLetters))
  deadLetters
    .command('show <id>')
    .description('show one with all that is known of it')
    .action((id: string) => withConnection((connection) => showDeadLetter(connection, id)))
  deadLetters
    .command('retry [id]')
    .description('try again what was set aside')
    .option('--all', 'all that wait now')
    .action((id: string | undefined, { all }: { all?: boolean }) =>
      withConnection(async (connection) => {
        if ((id === undefined) === (all === undefined)) throw new InvalidArgumentError('Give an id, or --all.')
        if (id !== undefined) await retryDeadLetter(connection, id)
        else console.log(`${await retryAllDeadLetters(connection)} are tried again.`)
      }),
    )
  deadLetters
    .command('discard <id>')
    .description('have nobody try it again; what waits for it is not told, and what has to be done is refused')
    .requiredOption('--reason <reason>', 'why, for those who look later')
    .action((id: string, { reason }: { reason: string }) =>
      withConnection((connection) => discardDeadLetter(connection, id, reason)),
    )

  program
    .command('cluster')
    .description('show which processes run, what each of them does, and how far it is')
    .action(() => withConnection((connection) => printCluster(connection, readConfig().DAYBOOK_LEASE_MS)))

  program
    .command('copy')
    .description('bring the log to another place, with its keys and how far its processes are, and compare every event')
    .requiredOption('--from <url>', 'where it is: file:./data, or esdb://... with its keys at MONGODB_URL')
    .requiredOption('--to <url>', 'where it goes')
    .action(({ from, to }: { from: string; to: string }) => {
      const signal = stoppedBySignal('Stopped. Run the same command again to go on: nothing is copied twice.')
      return copy(readConfig(), { from, to, extensions, signal })
    })

  program
    .command('backup <directory>')
    .description('copy the log and the keys of a shop in files, also while it runs, and verify the copy')
    .action((directory: string) => backup(readConfig(), directory, { signal: stoppedBySignal('Stopped.'), extensions }))
  program
    .command('restore <directory>')
    .description('make a data directory of a backup')
    .option('--check', 'only look whether the backup is whole; ends with 1 where it is not')
    .option('--forgotten <file>', 'ids of persons who were forgotten after the backup was taken, one a line')
    .action(async (directory: string, options: { check?: true; forgotten?: string }) => {
      const isWhole = await restore(readConfig(), directory, {
        ...options,
        signal: stoppedBySignal('Stopped. Nothing was restored.'),
        definitions: forReading(extensions),
      })
      if (!isWhole) process.exitCode = exitCodes.failed
    })
  program
    .command('forgotten')
    .description('print the ids of all who were forgotten, to forget them anew where an older backup is restored')
    .action(() => printForgotten(readConfig()))

  program
    .command('call [name] [fields...]')
    .description(
      'send a command or a query of the shop as staff, with fields as name=value; without a name, list all of them',
    )
    .option('--key <key>', 'idempotency key, to send a command again')
    .option('--fields', 'only show which fields it takes')
    .action((name: string | undefined, typed: string[], { key, fields }: { key?: string; fields?: true }) => {
      const callables = forReading(extensions)
      if (name === undefined) return printCallables(callables)
      if (fields) return printCallable(callables, name)
      return withConnection((connection) =>
        call(connection, callables, { name, typed, ...(key !== undefined && { key }) }),
      )
    })

  program
    .command('seed')
    .description('make the demo shop')
    .action(() =>
      withConnection(async (connection) => {
        await seedWithProgress(connection)
        console.log('The demo shop is there.')
      }),
    )

  program
    .command('config')
    .description('show all settings, without secrets')
    .action(() => {
      printTable(
        ['setting', 'value', 'what it is'],
        describeConfig(readConfig()).map(({ name, value, description }) => [name, value, description]),
      )
    })

  return program
}
