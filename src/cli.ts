import { commandLine } from './cli/program.ts'

/** The `daybook` command. */

void commandLine()
