import { commandLine } from '../../../src/cli/program.ts'
import { failing } from './extension.ts'

/** The `daybook` command of a shop in which something fails. */

await commandLine({ extensions: [failing] })
