import { type Command, InvalidArgumentError } from 'commander'
import { readConfig } from '../config.ts'
import type { Extension } from '../extension.ts'
import { forReading } from '../shop.ts'
import { connecting } from './connection.ts'
import { exitCodes, stoppedBySignal } from './ending.ts'

/** How what a shop has is brought in, moved, kept and brought back. */
export function keepingCommands(program: Command, extensions: readonly Extension[]): void {
  const withConnection = connecting(extensions)

  program
    .command('import <format> <file>')
    .description('bring in orders of another system; format: online-retail (the CSV of the UCI data set, also .gz)')
    .option('--rejects <file>', 'where lines go that can not be imported', 'rejects.csv')
    .action(async (format: string, file: string, { rejects }: { rejects: string }) => {
      if (format !== 'online-retail')
        throw new InvalidArgumentError(`There is no format ${format}. There is: online-retail.`)
      const { importOnlineRetail } = await import('./import.ts')
      const stopping = new AbortController()
      for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stopping.abort())
      await withConnection((connection) => importOnlineRetail(connection, file, { rejects, signal: stopping.signal }))
    })

  program
    .command('copy')
    .description('bring the log to another place, with its keys and how far its processes are, and compare every event')
    .requiredOption('--from <url>', 'where it is: file:./data, or esdb://... with its keys at MONGODB_URL')
    .requiredOption('--to <url>', 'where it goes')
    .action(async ({ from, to }: { from: string; to: string }) => {
      const { copy } = await import('./copy.ts')
      const signal = stoppedBySignal('Stopped. Run the same command again to go on: nothing is copied twice.')
      await copy(readConfig(), { from, to, extensions, signal })
    })

  program
    .command('backup <directory>')
    .description('copy the log and the keys of a shop in files, also while it runs, and verify the copy')
    .action(async (directory: string) => {
      const { backup } = await import('./backup.ts')
      await backup(readConfig(), directory, { signal: stoppedBySignal('Stopped.'), extensions })
    })

  program
    .command('restore <directory>')
    .description('make a data directory of a backup')
    .option('--check', 'only look whether the backup is whole; ends with 1 where it is not')
    .option('--forgotten <file>', 'ids of persons who were forgotten after the backup was taken, one a line')
    .action(async (directory: string, options: { check?: true; forgotten?: string }) => {
      const { restore } = await import('./backup.ts')
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
    .action(async () => await (await import('./forgotten.ts')).printForgotten(readConfig()))
}
