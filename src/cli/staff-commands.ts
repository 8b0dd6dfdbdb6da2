import type { Command } from 'commander'
import { scopes } from '../domain/api-key.ts'
import type { Extension } from '../extension.ts'
import { forReading } from '../shop.ts'
import { list } from './argument.ts'
import { connecting } from './connection.ts'

/** What staff may do, and what they send. */
export function staffCommands(program: Command, extensions: readonly Extension[]): void {
  const withConnection = connecting(extensions)

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
    .action(async ({ title, scopes }: { title: string; scopes?: string[] }) => {
      const { createKey } = await import('./keys.ts')
      await withConnection(async (connection) => console.log(await createKey(connection, title, scopes ?? [])))
    })
  keys
    .command('list')
    .description('show all keys, without their secrets')
    .action(async () => await withConnection((await import('./keys.ts')).listKeys))
  keys
    .command('revoke <id>')
    .description('refuse a key from now on')
    .action(async (id: string) => {
      const { revokeKey } = await import('./keys.ts')
      await withConnection(async (connection) => {
        await revokeKey(connection, id)
        console.log(`The key ${id} is refused from now on.`)
      })
    })

  program
    .command('call [name] [fields...]')
    .description(
      'send a command or a query of the shop as staff, with fields as name=value; without a name, list all of them',
    )
    .option('--key <key>', 'idempotency key, to send a command again')
    .option('--fields', 'only show which fields it takes')
    .action(async (name: string | undefined, typed: string[], { key, fields }: { key?: string; fields?: true }) => {
      const { call, printCallable, printCallables } = await import('./call.ts')
      const callables = forReading(extensions)
      if (name === undefined) return printCallables(callables)
      if (fields) return printCallable(callables, name)
      await withConnection((connection) =>
        call(connection, callables, { name, typed, ...(key !== undefined && { key }) }),
      )
    })
}
