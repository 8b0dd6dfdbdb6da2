import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type ChildProcess, startChild } from '../../child-process.ts'

/** The MongoDB stand-in, in a process that a test may maltreat. */
export interface MongodbProcess {
  readonly port: number
  /** Starts it again, with what was in its file. */
  start(): Promise<void>
  kill(): Promise<void>
  signal(signal: NodeJS.Signals): void
}

const run = fileURLToPath(new URL('./run', import.meta.url))
/** It may have to be built, and its libraries fetched. */
const longestStartMs = 180_000

function hasProgram(name: string): boolean {
  return spawnSync(name, ['-version']).error === undefined
}

/** Why the stand-in can't run here; undefined where it can. */
export const withoutStandIn = ['java', 'javac', 'mvn'].every(hasProgram) ? undefined : 'no java, javac and mvn in PATH'

/**
 * Starts the stand-in.
 * @param port one that is free
 * @param file where its data outlives it
 */
export async function startMongodbProcess(port: number, file: string): Promise<MongodbProcess> {
  let child: ChildProcess | undefined

  async function start(): Promise<void> {
    const started = startChild({ command: [run, String(port), file], environment: process.env })
    child = started
    for (const deadline = Date.now() + longestStartMs; !started.output().includes('Listening on'); ) {
      if (started.end() || Date.now() > deadline)
        throw new Error(`The stand-in of MongoDB did not start:\n${started.output()}`)
      await Promise.race([started.ended, new Promise((resolve) => setTimeout(resolve, 20))])
    }
  }

  await start()
  return {
    port,
    start,
    kill: async () => child?.kill(),
    signal: (signal) => child?.signal(signal),
  }
}
