import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { environmentWith, startChild } from '../child-process.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** The command on an older Node.js, which runs the newer one that came with it as a child. */

const repository = fileURLToPath(new URL('../..', import.meta.url))
const neededMajor = 26

function majorOf(node: string): number {
  return Number(execFileSync(node, ['-p', 'process.versions.node.split(".")[0]'], { encoding: 'utf8' }))
}

const olderNode = (process.env.PATH ?? '')
  .split(delimiter)
  .concat('/usr/bin')
  .map((directory) => join(directory, 'node'))
  .find((node) => existsSync(node) && majorOf(node) < neededMajor)
const notRun = olderNode === undefined ? ' (not run: this machine has no older Node.js)' : ''

const { path: directory, remove } = temporaryDirectory()
const bin = join(directory, 'bin/daybook.cjs')
const asOlder = join(directory, 'as-older.cjs')

/** In place of the program: what ends as `serve` does, or as a command that knows no signals, or by itself. */
const program = `
const [, , command] = process.argv
let isDrained = () => {}
if (command !== 'done') setInterval(() => {}, 1000)
process.on('SIGUSR2', () => isDrained())
if (command === 'serve') {
  const { stopOnSignal } = await import(${JSON.stringify(join(repository, 'src/cli/ending.ts'))})
  stopOnSignal(() => new Promise((resolve) => {
    isDrained = () => {
      console.log('drained')
      resolve()
    }
    console.log('draining')
  }))
}
const settings = Object.keys(process.env).filter((name) => name.startsWith('DAYBOOK_'))
console.log('runs as ' + process.pid + ' with settings [' + settings + ']')
`

beforeAll(() => {
  for (const name of ['bin', 'dist']) mkdirSync(join(directory, name))
  cpSync(join(repository, 'bin/daybook.cjs'), bin)
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'), 'junction')
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(directory, 'dist/cli.js'), `(async () => {${program}})()`)
  writeFileSync(
    asOlder,
    `Object.defineProperty(process.versions, 'node', { value: '18.0.0' })\nrequire(${JSON.stringify(bin)})`,
  )
})
afterAll(remove)

async function started(node: readonly [string, ...string[]], command: string) {
  const wrapper = startChild({ command: [...node, command], environment: environmentWith({}) })
  await expect.poll(wrapper.output).toContain('runs as')
  const [, id, settings] = /runs as (\d+) with settings \[(.*)\]/.exec(wrapper.output()) ?? []
  const child = Number(id)
  const isRunning = () => {
    try {
      return process.kill(child, 0)
    } catch {
      return false
    }
  }
  onTestFinished(async () => {
    if (isRunning()) process.kill(child, 'SIGKILL')
    await wrapper.kill()
  })
  const drained = () => process.kill(child, 'SIGUSR2')
  return { wrapper, child, settings, isRunning, drained }
}

function endsWithItsWrapper(node: readonly [string, ...string[]]) {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s to the wrapper alone drains once', async (signal) => {
    const { wrapper, drained } = await started(node, 'serve')
    wrapper.signal(signal)
    await expect.poll(wrapper.output).toContain('draining')
    drained()
    expect(await wrapper.ended).toEqual({ code: 0, signal: null })
    expect(wrapper.output()).toContain('drained')
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s to both, as of a terminal or a supervisor, drains once',
    async (signal) => {
      const { wrapper, child, drained } = await started(node, 'serve')
      process.kill(child, signal)
      await expect.poll(wrapper.output).toContain('draining')
      wrapper.signal(signal)
      drained()
      expect(await wrapper.ended).toEqual({ code: 0, signal: null })
      expect(wrapper.output()).toContain('drained')
    },
  )

  test.each(['SIGINT', 'SIGTERM'] as const)('a second %s to the wrapper ends it at once', async (signal) => {
    const { wrapper } = await started(node, 'serve')
    wrapper.signal(signal)
    await expect.poll(wrapper.output).toContain('draining')
    wrapper.signal(signal)
    expect(await wrapper.ended).toEqual({ code: 130, signal: null })
  })

  test('what serves drains when its wrapper was killed', async () => {
    const { wrapper, isRunning, drained } = await started(node, 'serve')
    wrapper.signal('SIGKILL')
    await expect.poll(wrapper.output).toContain('draining')
    drained()
    await expect.poll(isRunning).toBe(false)
    await wrapper.ended
    expect(wrapper.output()).toContain('drained')
  })

  test('any other command ends when its wrapper was killed', async () => {
    const { wrapper, isRunning } = await started(node, 'other')
    wrapper.signal('SIGKILL')
    await expect.poll(isRunning).toBe(false)
  })

  test('a command that is done ends by itself, and sees no setting that nobody made', async () => {
    const { wrapper, settings } = await started(node, 'done')
    expect(settings).toBe('')
    expect(await wrapper.ended).toEqual({ code: 0, signal: null })
  })
}

// There are no signals on Windows: the console tells both.
describe.skipIf(process.platform === 'win32')('a Node.js that says that it is older', () => {
  endsWithItsWrapper([process.execPath, asOlder])
})

describe.skipIf(process.platform === 'win32' || olderNode === undefined)(`an older Node.js${notRun}`, () => {
  endsWithItsWrapper([olderNode ?? '', bin])
})
