import { type Command, Option } from 'commander'
import { readConfig } from '../config.ts'
import type { Extension } from '../extension.ts'
import { forReading } from '../shop.ts'
import { list, positive } from './argument.ts'
import type { ReplayOptions } from './replay.ts'

/** What is read of the log and of the code. */
export function readingCommands(program: Command, extensions: readonly Extension[]): void {
  program
    .command('replay')
    .description('print what happened, in order')
    .option('--stream <stream>', 'only of this stream, such as order-0198f0c2')
    .option('--type <types>', 'only events of these types, separated by commas', list)
    .option('--from <time>', 'only what occurred from this time on')
    .option('--to <time>', 'only what occurred before this time')
    .option('--limit <number>', 'at most so many events', positive)
    .addOption(new Option('--format <format>', 'how').choices(['table', 'ndjson']).default('table'))
    .action(async (options: ReplayOptions) => await (await import('./replay.ts')).replay(readConfig(), options))

  program
    .command('events')
    .description('list all events that the log can hold, with their fields and who looks at them, as Markdown')
    .action(async () => {
      const { eventCatalogue } = await import('./event-catalogue.ts')
      process.stdout.write(eventCatalogue(forReading(extensions)))
    })
}
