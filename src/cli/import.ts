import { setTimeout as sleep } from 'node:timers/promises'
import { Listr } from 'listr2'
import { z } from 'zod'
import { type Connection, succeed } from './connection.ts'
import { courier, StoppedError } from './courier.ts'
import { readRetailFile } from './online-retail/file.ts'
import { bringGoods, bringOrders, bringRefunds, findPresent } from './online-retail/import.ts'
import { ledgerOf } from './online-retail/ledger.ts'
import { reconcile } from './online-retail/reconciliation.ts'
import { printLines, printReconciliation } from './online-retail/report.ts'
import { writeSetAside } from './online-retail/set-aside.ts'
import { progress } from './progress.ts'

/** `daybook import`: brings in the orders of another system, and proves that they are all there. */

const requestsAtOnce = 48
const pollEveryMs = 100

/** What was imported is not what the file has. */
class ReconciliationError extends Error {
  override readonly name = 'ReconciliationError'
}

interface ImportOptions {
  /** Where the lines go that are set aside. */
  readonly rejects?: string
  /** Stops it between two requests. */
  readonly signal?: AbortSignal
}

const Status = z.object({
  items: z.array(z.object({ name: z.string(), status: z.string(), position: z.number(), lag: z.number() })),
})

/**
 * Waits until a read model has what was in the log when it began to wait.
 * @throws Error when the read model has stopped
 */
async function catchUp(connection: Connection, name: string, onProgress: (done: number, total: number) => void) {
  let head: number | undefined
  for (;;) {
    const { items } = Status.parse((await succeed(connection.send('GET', '/v1/projections'))).body)
    const model = items.find((each) => each.name === name)
    if (model === undefined || model.status === 'stopped') {
      throw new Error(`The read model ${name} has stopped, so nothing can be reconciled. See: daybook projections`)
    }
    head ??= model.position + model.lag
    onProgress(model.position, head)
    if (model.position >= head) return
    await sleep(pollEveryMs)
  }
}

/**
 * Imports the orders of a file of the Online Retail data set, and reconciles them with the shop's figures. Run again,
 * it sends only what is missing.
 * @param file the CSV, or the CSV packed with gzip
 * @throws UnreadableFileError before anything is sent, for a file that is broken
 * @throws StoppedError when it was stopped, with what to do
 * @throws ReconciliationError when figures differ
 */
export async function importOnlineRetail(
  connection: Connection,
  file: string,
  { rejects = 'rejects.csv', signal }: ImportOptions = {},
): Promise<void> {
  const startedAt = Date.now()
  const { lines, digest } = await readRetailFile(file)
  const ledger = ledgerOf(lines)
  writeSetAside(rejects, ledger.setAside)
  const requests = courier(connection, requestsAtOnce, signal)
  const present = { orders: new Set<string>(), refunds: new Set<string>() }
  // The signal stops it between two requests; Listr itself would end the process.
  const steps = new Listr(
    [
      {
        title: `Look for what is there of ${ledger.orders.length.toLocaleString('en')} orders`,
        task: async (_context, task) => {
          const found = await findPresent(requests, ledger, progress(task, 'orders'))
          for (const id of found.orders) present.orders.add(id)
          for (const id of found.refunds) present.refunds.add(id)
        },
      },
      {
        title: 'Make products and receive their stock',
        task: (_context, task) => bringGoods(requests, ledger, digest, present, progress(task, 'products')),
      },
      {
        title: 'Import orders',
        task: (_context, task) => bringOrders(requests, ledger, present, progress(task, 'lines')),
      },
      {
        title: 'Import refunds',
        task: (_context, task) => bringRefunds(requests, ledger, present, progress(task, 'refunds')),
      },
      {
        title: 'Let the read model of sales catch up',
        task: (_context, task) => catchUp(connection, 'sales', progress(task, 'positions')),
      },
    ],
    { registerSignalListeners: false },
  )
  await stoppable(() => steps.run())
  const seconds = (Date.now() - startedAt) / 1_000
  const sent = requests.sent()
  console.log(
    `${sent.toLocaleString('en')} commands in ${seconds.toFixed(1)} s, ${Math.round(sent / seconds).toLocaleString('en')} a second. ${present.orders.size.toLocaleString('en')} orders were there before.\n`,
  )
  printLines(ledger, lines.length)
  console.log(`\nThe lines that were set aside are in ${rejects}.`)
  const differences = printReconciliation(await reconcile(requests, ledger))
  if (differences > 0) {
    throw new ReconciliationError(
      `The reconciliation has ${differences} differences. They can come from other sales in GBP at that time, or from another file with the same invoices.`,
    )
  }
  console.log('\nEverything is equal.')
}

async function stoppable(run: () => Promise<unknown>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error
    throw new StoppedError('Stopped. Run the same command again to go on: nothing is imported twice.')
  }
}
