import { type Command, InvalidArgumentError } from 'commander'
import { type Config, describeConfig, readConfig } from '../config.ts'
import type { Extension } from '../extension.ts'
import { connecting } from './connection.ts'
import { exitCodes } from './ending.ts'
import type { StatusOptions } from './status.ts'

/** How a shop that runs is seen and steered. */
export function operatingCommands(program: Command, extensions: readonly Extension[]): void {
  const withConnection = connecting(extensions)

  const projections = program.command('projections').description('read models: status, rebuild, skip')
  projections
    .command('status', { isDefault: true })
    .description('show how far they are')
    .action(async () => await withConnection((await import('./projections.ts')).printProjections))
  projections
    .command('rebuild <name>')
    .description('build one anew from the log, while the old one answers')
    .action(async (name: string) => {
      const { rebuildProjection } = await import('./projections.ts')
      await withConnection((connection) => rebuildProjection(connection, name))
    })
  projections
    .command('skip <name>')
    .description('let a stopped one go on behind the event that stopped it')
    .action(async (name: string) => {
      const { skipPoison } = await import('./projections.ts')
      await withConnection((connection) => skipPoison(connection, name))
    })

  program
    .command('status')
    .description('show how the shop does, and what to do where something is wrong; ends with 1 where something is')
    .option('--json', 'as the API answers it')
    .option('--watch', 'again every 2 seconds')
    .action(async (options: StatusOptions) => {
      const { printStatus } = await import('./status.ts')
      await withConnection(async (connection) => {
        const isWell = await printStatus(connection, { ...options, leaseMs: readConfig().DAYBOOK_LEASE_MS })
        if (!isWell) process.exitCode = exitCodes.failed
      })
    })

  const deadLetters = program.command('dead-letters').description('what failed for good: list, show, retry, discard')
  deadLetters
    .command('list', { isDefault: true })
    .description('show all, the newest first')
    .action(async () => await withConnection((await import('./dead-letters.ts')).listDeadLetters))
  deadLetters
    .command('show <id>')
    .description('show one with all that is known of it')
    .action(async (id: string) => {
      const { showDeadLetter } = await import('./dead-letters.ts')
      await withConnection((connection) => showDeadLetter(connection, id))
    })
  deadLetters
    .command('retry [id]')
    .description('try again what was set aside')
    .option('--all', 'all that wait now')
    .action(async (id: string | undefined, { all }: { all?: boolean }) => {
      if ((id === undefined) === (all === undefined)) throw new InvalidArgumentError('Give an id, or --all.')
      const { retryAllDeadLetters, retryDeadLetter } = await import('./dead-letters.ts')
      await withConnection(async (connection) => {
        if (id !== undefined) await retryDeadLetter(connection, id)
        else console.log(`${await retryAllDeadLetters(connection)} are tried again.`)
      })
    })
  deadLetters
    .command('discard <id>')
    .description('have nobody try it again; what waits for it is not told, and what has to be done is refused')
    .requiredOption('--reason <reason>', 'why, for those who look later')
    .action(async (id: string, { reason }: { reason: string }) => {
      const { discardDeadLetter } = await import('./dead-letters.ts')
      await withConnection((connection) => discardDeadLetter(connection, id, reason))
    })

  program
    .command('cluster')
    .description('show which processes run, what each of them does, and how far it is')
    .action(async () => {
      const { printCluster } = await import('./cluster.ts')
      await withConnection((connection) => printCluster(connection, readConfig().DAYBOOK_LEASE_MS))
    })

  program
    .command('config')
    .description('show all settings, without secrets')
    .action(async () => {
      const { printTable } = await import('./output.ts')
      let config: Config | undefined
      try {
        config = readConfig()
      } finally {
        // Whoever has set something wrong finds here what there is.
        printTable(
          ['setting', 'value', 'what it is'],
          describeConfig(config).map(({ name, value, description }) => [name, value, description]),
        )
      }
    })
}
