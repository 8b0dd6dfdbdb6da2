import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'
import { type Sample, samplesRunBy } from './samples.ts'
import { scriptOf, shellEnvironment } from './shell.ts'

/** Samples that start what runs until it is stopped: they are run until it serves. */

const patiently = { timeout: 60_000 }
const embedded = samplesRunBy('test/docs/serving.test.ts', 'docs/embedded.md')
const [sandbox, shop, key] = samplesRunBy('test/docs/serving.test.ts', 'docs/sandbox-gateway.md')

function hasOpenssl(): boolean {
  try {
    return execFileSync('openssl', ['version']).length > 0
  } catch {
    return false
  }
}

const whyNot = hasOpenssl() ? '' : ' (not run: there is no openssl)'

/** A directory of its own, and settings by which nothing gets in the way of others. */
function place() {
  const directory = temporaryDirectory()
  onTestFinished(directory.remove)
  const settings = {
    DAYBOOK_DATA_DIR: `${directory.path}/data`,
    DAYBOOK_PORT: '0',
    DAYBOOK_METRICS_PORT: '0',
    SANDBOX_PORT: '0',
    SANDBOX_SECRET: 'whsec_c2VjcmV0IG9mIHRoZSBzYW1wbGVzIG9mIHRoZSBkb2N1bWVudGF0aW9u',
  }
  return { directory: directory.path, settings }
}

/** Runs a sample until it says something; it is stopped with the test, with all that it has started. */
async function serving(
  sample: Sample | undefined,
  cwd: string,
  settings: Readonly<Record<string, string>>,
): Promise<() => string> {
  if (sample === undefined) throw new Error('The page has no such sample')
  const shell = spawn('bash', ['-c', scriptOf([sample])], {
    cwd,
    env: shellEnvironment(settings),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  const closed = once(shell, 'close')
  onTestFinished(async () => {
    const runs = shell.exitCode === null && shell.signalCode === null
    if (runs && shell.pid !== undefined) process.kill(-shell.pid, 'SIGTERM')
    await closed
  })
  return () => output + (shell.exitCode === null ? '' : `\nended with ${shell.exitCode}`)
}

describe.skipIf(whyNot !== '')(`What is started as the pages say serves${whyNot}`, { timeout: 120_000 }, () => {
  test('a shop on one machine', async () => {
    const { directory, settings } = place()
    const said = await serving(embedded[0], directory, settings)
    await expect.poll(said, patiently).toMatch(/"msg":"Daybook serves"|ended/)
    expect(said()).toMatch(/"keeps":\{"Log":"SQLite in [^"]+\/data"/)
  })

  test('the sandbox gateway', async () => {
    const { settings } = place()
    const said = await serving(sandbox, resolve('.'), settings)
    await expect.poll(said, patiently).toMatch(/^\{"host":"127\.0\.0\.1","port":\d+\}$|ended/m)
    expect(said()).not.toContain('ended')
  })

  test('a shop that takes payments through it, and its first key', async () => {
    const { settings } = place()
    const said = await serving(shop, resolve('.'), settings)
    await expect.poll(said, patiently).toMatch(/"msg":"Daybook serves"|ended/)
    expect(said()).toMatch(/"payments":"sandbox"/)
    const { stdout } = await promisify(execFile)('bash', ['-c', scriptOf(key ? [key] : [])], {
      cwd: resolve('.'),
      env: shellEnvironment(settings),
    })
    expect(stdout).toMatch(/^dbk_/m)
  })
})
