import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { emptyDatabase, whyNotRun } from '../adapters/mongodb/empty-database.ts'
import { keptStores } from '../history/store/files.ts'
import { startEventStoreServerProcess } from '../servers/eventstoredb/process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { samplesRunBy } from './samples.ts'
import { scriptOf, shellEnvironment } from './shell.ts'

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

    const backUp = { text: 'daybook backup ./backup' }
    const commands = scriptOf([backUp, ...samplesRunBy('test/docs/moving.test.ts', 'docs/moving.md')])
      .replaceAll('mongodb://mongo:27017/daybook', database.url)
      .replaceAll('esdb://eventstore:2113?tls=false', log.url)
    const { stdout } = await promisify(execFile)('bash', ['-c', commands], {
      cwd: directory.path,
      env: shellEnvironment(),
    })
    expect(stdout.match(/events are in both logs, and all are equal/g)).toHaveLength(3)
  },
)
