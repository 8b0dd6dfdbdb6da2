import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** `npm run check`: everything about the sources that is no test. All steps run, also where one has failed, and what failed is printed with its output. */

interface Step {
  readonly name: string
  /** What Node.js runs; a shell would be another one on each system. */
  readonly command: readonly [string, ...string[]]
}

const compiler = 'node_modules/typescript/bin/tsc'
const steps: readonly Step[] = [
  { name: 'unused code', command: ['node_modules/knip/bin/knip.js'] },
  {
    name: 'format and lint',
    command: ['node_modules/@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '--colors=off', '.'],
  },
  { name: 'types', command: [compiler] },
  { name: 'types as the package has them', command: [compiler, '-p', 'tsconfig.build.json', '--noEmit'] },
  { name: 'types of the storefront', command: [compiler, '-p', 'examples/storefront'] },
  { name: 'API of the last release', command: ['test/history/openapi/main.ts'] },
]
const atATime = Math.min(2, availableParallelism())

/** Runs a step, and prints how it ended. @returns whether it passed */
async function passes({ name, command }: Step): Promise<boolean> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk))
  const { promise: ended, resolve } = Promise.withResolvers<number | null>()
  child.once('close', resolve)
  const status = await ended
  process.stdout.write(`${status === 0 ? 'passed' : 'FAILED'}  ${name}: node ${command.join(' ')}\n`)
  if (status !== 0) process.stdout.write(`\n${Buffer.concat(output).toString()}\n`)
  return status === 0
}

const waiting = [...steps]
async function work(): Promise<void> {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    if (!(await passes(step))) process.exitCode = 1
  }
}
await Promise.all(Array.from({ length: atATime }, work))
