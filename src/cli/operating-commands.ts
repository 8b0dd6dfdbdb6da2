import { type Command, InvalidArgumentError } from 'commander'
import { describeConfig, readConfig } from '../config.ts'
import type { Extension } from '../extension.ts'
import { printCluster } from './cluster.ts'
import { connecting } from './connection.ts'
import {
  discardDeadLetter,
  listDeadLetters,
  retryAllDeadLetters,
  retryDeadLetter,
  showDeadLetter,
} from './dead-letters.ts'
import { exitCodes } from './ending.ts'
import { printTable } from './output.ts'
import { printProjections, rebuildProjection, skipPoison } from './projections.ts'
import { printStatus, type StatusOptions } from './status.ts'

/** How a shop that runs is seen and steered. */
export function operatingCommands(program: Command, extensions: readonly Extension[]): void {
  const withConnection = connecting(extensions)

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
    .command('config')
    .description('show all settings, without secrets')
    .action(() => {
      printTable(
        ['setting', 'value', 'what it is'],
        describeConfig(readConfig()).map(({ name, value, description }) => [name, value, description]),
      )
    })
}
