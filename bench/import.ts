import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { columns } from '../src/cli/online-retail/line.ts'
import { random } from '../src/cli/random.ts'
import { filesOf } from '../src/storage.ts'
import { benchmark } from './benchmark.ts'
import { startShop } from './shop.ts'

const orders = 3_000
const linesEach = 20
const goods = 3_000
const commandLine = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
/** The file of the UCI data set Online Retail, as CSV, also packed; where it is not given, one like it is made. */
const given = process.env.DAYBOOK_BENCH_ONLINE_RETAIL

/** Orders in the form of the data set: a month of a shop that sells many small things. */
function madeUp(file: string): string {
  const { between } = random(4_000)
  const rows: string[] = []
  for (let order = 0; order < orders; order++) {
    const at = new Date(Date.UTC(2_010, 11, 1, 8) + order * 600_000).toISOString().slice(0, 19)
    const customer = between(12_000, 16_000)
    for (let line = 0; line < linesEach; line++) {
      const good = between(1, goods)
      const price = ((good % 1_500) + 50) / 100
      const fields = [
        536_000 + order,
        20_000 + good,
        `THING ${good}`,
        between(1, 24),
        at,
        price,
        customer,
        'United Kingdom',
      ]
      rows.push(fields.join(','))
    }
  }
  writeFileSync(file, [columns.join(','), ...rows, ''].join('\n'))
  return file
}

export const importing = benchmark({
  name: 'import',
  title: `\`daybook import online-retail\` into a running server, reconciliation included: the file named by DAYBOOK_BENCH_ONLINE_RETAIL, or ${orders.toLocaleString('en-GB')} made-up orders of ${linesEach} lines`,
  figures: [
    { name: 'event loop delay p99.9', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 50 } },
    { name: 'import', unit: 'events/s' },
    { name: 'memory', unit: 'MB' },
  ],
  async prepare({ directory, profileDirectory }) {
    const file = given ?? madeUp(join(directory, 'online-retail.csv'))
    return {
      async round() {
        const data = mkdtempSync(join(directory, 'shop-'))
        const shop = await startShop(data, profileDirectory)
        try {
          // As a server leaves it, so that the command line finds it.
          const { url, token } = shop
          writeFileSync(filesOf(data).server, JSON.stringify({ url, token, processId: process.pid }))
          await shop.watch()
          const beganMs = performance.now()
          await promisify(execFile)(
            process.execPath,
            [commandLine, 'import', 'online-retail', file, '--rejects', join(data, 'rejects.csv')],
            { env: { DAYBOOK_DATA_DIR: data } },
          )
          const seconds = (performance.now() - beganMs) / 1_000
          const { eventLoopDelayMs, mostMemoryBytes } = await shop.readings()
          return {
            'event loop delay p99.9': eventLoopDelayMs,
            import: (await shop.rest()) / seconds,
            memory: mostMemoryBytes / 1_000_000,
          }
        } finally {
          await shop.stop()
          rmSync(data, { recursive: true })
        }
      },
    }
  },
})
