import { Command } from 'commander'
import type { Extension } from '../extension.ts'
import { version } from '../version.ts'
import { fail } from './ending.ts'
import { keepingCommands } from './keeping-commands.ts'
import { operatingCommands } from './operating-commands.ts'
import { readingCommands } from './reading-commands.ts'
import { servingCommands } from './serving-commands.ts'
import { staffCommands } from './staff-commands.ts'

export interface CommandLineOptions {
  /** What the shop has beside what every shop has. */
  readonly extensions?: readonly Extension[]
  /** What was typed behind the command's name; what this process was started with if absent. Nothing at all serves the demo shop. */
  readonly args?: readonly string[]
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

/** Each command loads what it runs when it runs: a server has no need of the others, nor of their libraries. */
function programOf(extensions: readonly Extension[]): Command {
  const program = new Command('daybook').description('An event-sourced commerce engine').version(version)
  for (const add of [servingCommands, staffCommands, readingCommands, operatingCommands, keepingCommands])
    add(program, extensions)
  return program
}
