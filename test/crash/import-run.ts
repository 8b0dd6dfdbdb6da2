import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { environmentWith } from '../child-process.ts'
import { header } from '../cli/online-retail/sample.ts'

/** Imports of orders by the command line, one file after another. One that was cut off is run again until it is through. */

export interface Imports {
  /** Begins or goes on with the file that is next. */
  start(): ImportRun
  /** Files that are wholly there. */
  completed(): number
}

export interface ImportRun {
  /** Resolves when it sends orders, or when it has ended without doing so. */
  readonly sending: Promise<void>
  /** Whether it is sending orders, and is not done with it. */
  isSending(): boolean
  /** Ends it as the power supply would. */
  kill(): Promise<void>
  /** @throws Error with its output when it fails */
  finished(): Promise<void>
}

const commandLine = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const ordersPerFile = 150
const dayMs = 24 * 3_600_000
const firstDay = Date.UTC(2010, 11, 1, 9)

/** Each file has invoices and a month of its own, so that each can be reconciled by itself. */
function rowsOf(file: number): readonly string[] {
  const date = new Date(firstDay)
  date.setUTCMonth(date.getUTCMonth() + file)
  return Array.from({ length: ordersPerFile }, (_, number) => {
    const invoice = 100_000 + file * ordersPerFile + number
    const at = new Date(date.getTime() + (number % 20) * dayMs).toISOString().slice(0, 19)
    return [1, 2, 3].map((line) => `${invoice},F${file}L${line},THING ${line},${line},${at},${line}.25,,United Kingdom`)
  }).flat()
}

/**
 * @param directory where the files go
 * @param dataDirectory of the server that imports them
 */
export function imports(directory: string, dataDirectory: string): Imports {
  let completed = 0
  return {
    completed: () => completed,
    start() {
      const file = join(directory, `import-${completed}.csv`)
      writeFileSync(file, `${[header, ...rowsOf(completed)].join('\n')}\n`)
      const rejects = join(directory, 'rejects.csv')
      const child = spawn(process.execPath, [commandLine, 'import', 'online-retail', file, '--rejects', rejects], {
        env: environmentWith({ DAYBOOK_DATA_DIR: dataDirectory, NO_COLOR: '1' }),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      let phase: 'before' | 'sending' | 'after' = 'before'
      let begun: () => void = () => {}
      const sending = new Promise<void>((resolve) => {
        begun = resolve
      })
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8')
        stream.on('data', (text: string) => {
          output += text
          if (output.includes('❯ Import orders')) phase = 'sending'
          if (output.includes('✔ Import orders')) phase = 'after'
          if (phase !== 'before') begun()
        })
      }
      const ended = new Promise<number | null>((resolve) => {
        child.once('close', (code) => {
          if (code === 0) completed++
          begun()
          resolve(code)
        })
      })
      return {
        sending,
        isSending: () => phase === 'sending' && child.exitCode === null,
        async kill() {
          child.kill('SIGKILL')
          await ended
        },
        async finished() {
          const code = await ended
          if (code !== 0) throw new Error(`The import ended with ${code}:\n${output}`)
        },
      }
    },
  }
}
