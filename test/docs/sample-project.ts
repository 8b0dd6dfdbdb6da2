import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { vi } from 'vitest'
import { z } from 'zod'
import { environmentWith, startChild } from '../child-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import type { Sample } from './samples.ts'

/** Where samples are run: a copy of the project, and beside it a demo shop of their own. */

const execute = promisify(execFile)
const longestMs = 120_000

const Description = z.looseObject({
  exports: z.record(
    z.string(),
    z.union([z.object({ default: z.string() }), z.string().transform((file) => ({ default: file }))]),
  ),
})

/** The package's entry points, as sources: what imports `daybook` needs no build. */
function describedAsSources(): object {
  const { exports, ...rest } = Description.parse(JSON.parse(readFileSync('package.json', 'utf8')))
  const entries = Object.entries(exports).map(([name, { default: file }]) => [
    name,
    file.replace(/^\.\/dist\/(.*)\.js$/, './src/$1.ts'),
  ])
  return { ...rest, exports: Object.fromEntries(entries) }
}

const preamble = `
set -euo pipefail
shopt -s inherit_errexit
curl() { command curl --fail-with-body "$@"; }
daybook() { node src/cli.ts "$@"; }
npx() { "$@"; }
`

interface DemoShop {
  /** Its address, that of its sandbox, and its key. */
  readonly options: readonly string[]
  /** Puts its own addresses and its own key in the place of those that are written down. */
  readonly address: (text: string) => string
  readonly stop: () => Promise<void>
}

export interface SampleProject {
  /** Writes a file. */
  write(path: string, text: string): void
  /** Runs Node.js. @throws Error with what it printed if it fails */
  node(...args: readonly string[]): Promise<string>
  /** Runs a program with the addresses of the shop and of its sandbox, and a staff key. @throws as `node` */
  program(path: string): Promise<string>
  /** Runs shell samples one after another, in one shell. @throws Error with what they printed if a command of them fails */
  shell(samples: readonly Sample[]): Promise<string>
  /** As they are run. */
  address(text: string): string
  remove(): Promise<void>
}

async function startDemoShop(directory: string, environment: NodeJS.ProcessEnv): Promise<DemoShop> {
  const child = startChild({
    command: [process.execPath, join(directory, 'src/cli.ts'), 'serve', '--demo'],
    environment,
  })
  const said = (name: string) => new RegExp(`^  ${name} +(\\S+)$`, 'm').exec(child.output())?.[1]
  const key = await vi.waitUntil(() => said('Staff key') ?? (child.end() && 'none'), { timeout: longestMs })
  if (child.end()) throw new Error(`The demo shop does not serve:\n${child.output()}`)
  const api = new URL(said('API') ?? '').origin
  const sandbox = said('Sandbox') ?? ''
  return {
    address: (text) =>
      text
        .replaceAll(/(http:\/\/)?(127\.0\.0\.1|localhost):3000/g, api)
        .replaceAll(/(http:\/\/)?(127\.0\.0\.1|localhost):(4010|…)/g, sandbox)
        .replaceAll('dbk_demo_…', key)
        .replaceAll('/var/', `${directory}/`),
    options: [api, sandbox, key],
    async stop() {
      child.signal('SIGTERM')
      await child.ended
    },
  }
}

/** Makes a copy of the project, and starts a demo shop. */
export async function openSampleProject(): Promise<SampleProject> {
  const { path: directory, remove } = temporaryDirectory()
  for (const name of ['examples', 'src', 'test', 'tsconfig.json', 'vitest.config.ts']) {
    cpSync(name, join(directory, name), { recursive: true, filter: (file) => !file.includes('node_modules') })
  }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(describedAsSources()))
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'), 'junction')

  const environment = environmentWith({
    DAYBOOK_DATA_DIR: join(directory, 'data'),
    DAYBOOK_PORT: '0',
    DAYBOOK_METRICS_PORT: '0',
    NO_COLOR: '1',
  })
  const { options, address, stop } = await startDemoShop(directory, environment)

  async function run(program: string, args: readonly string[]): Promise<string> {
    try {
      const settings = { cwd: directory, env: environment, timeout: longestMs, maxBuffer: 16_000_000 }
      const { stdout, stderr } = await execute(program, args, settings)
      return stdout + stderr
    } catch (error) {
      if (!(error instanceof Error && 'stdout' in error && 'stderr' in error)) throw error
      throw new Error(`${program} failed:\n${error.stdout}${error.stderr}`)
    }
  }

  return {
    address,
    write(path, text) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), text)
    },
    node: (...args) => run(process.execPath, args),
    program: (path) => run(process.execPath, [path, ...options]),
    shell(samples) {
      const script = samples.map(({ page, line, text }) => `echo; echo '### ${page}:${line}'\n${address(text)}`)
      return run('bash', ['-c', [preamble, ...script].join('\n')])
    },
    async remove() {
      await stop()
      remove()
    },
  }
}
