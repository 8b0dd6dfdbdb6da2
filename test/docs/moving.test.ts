import { execFile } from 'node:child_process'
import { delimiter, dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { emptyDatabase, whyNotRun } from '../adapters/mongodb/empty-database.ts'
import { environmentWith } from '../child-process.ts'
import { keptStores } from '../history/store/files.ts'
import { startEventStoreServerProcess } from '../servers/eventstoredb/process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { samplesRunBy } from './samples.ts'

const preamble = `
set -euo pipefail
npx() { "$@"; }
daybook() { node '${resolve('src/cli.ts')}' "$@"; }
daybook backup ./backup`

test.skipIf(whyNotRun !== '')(
  `The commands of the guide move a shop to the servers, back, and in a rehearsal${whyNotRun}`,
  { timeout: 180_000 },
  async () => {
    const directory = temporaryDirectory()
    onTestFinished(directory.remove)
    keptStores().at(-1)?.unpack(`${directory.path}/data`)
    const database = emptyDatabase()
    onTestFinished(database.dispose)
    await using log = await startEventStoreServerProcess()

    const commands = samplesRunBy('test/docs/moving.test.ts', 'docs/moving.md')
      .map(({ text }) => text)
      .join('\n')
      .replaceAll('mongodb://mongo:27017/daybook', database.url)
      .replaceAll('esdb://eventstore:2113?tls=false', log.url)
    const { stdout } = await promisify(execFile)('bash', ['-c', `${preamble}\n${commands}`], {
      cwd: directory.path,
      env: environmentWith({ PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) }),
    })
    expect(stdout.match(/events are in both logs, and all are equal/g)).toHaveLength(3)
  },
)
