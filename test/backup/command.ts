import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type ChildProcess, environmentWith, startChild } from '../child-process.ts'

const commandLine = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** Runs `daybook` with these arguments, for a data directory. */
export function daybookCommand(directory: string, ...args: readonly string[]): ChildProcess {
  const child = startChild({
    command: [process.execPath, commandLine, ...args],
    environment: environmentWith({ DAYBOOK_DATA_DIR: directory }),
  })
  onTestFinished(() => child.kill())
  return child
}

/** Runs it to its end. @returns what it wrote, and how it ended */
export async function ranDaybook(
  directory: string,
  ...args: readonly string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = daybookCommand(directory, ...args)
  const { code } = await child.ended
  return { code, output: child.output() }
}
