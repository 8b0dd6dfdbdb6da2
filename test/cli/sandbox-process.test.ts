import { expect, onTestFinished, test, vi } from 'vitest'
import { startSandbox } from '../../src/cli/sandbox-process.ts'

const secret = 'whsec_c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiB0aGUgc2FuZGJveA=='

async function started() {
  const onEnd = vi.fn<(how: string) => void>()
  const sandbox = await startSandbox({ secret, pageOrigins: [], onEnd })
  onTestFinished(sandbox.stop)
  return { sandbox, onEnd }
}

test('A sandbox that ends by itself is told of, with how it ended', async () => {
  const { sandbox, onEnd } = await started()
  process.kill(sandbox.processId ?? Number.NaN, 'SIGKILL')
  await expect.poll(() => onEnd.mock.calls).toEqual([['SIGKILL']])
  sandbox.tell('http://127.0.0.1:3000/v1/gateways/sandbox/callbacks')
})

test('One that is stopped is not', async () => {
  const { sandbox, onEnd } = await started()
  sandbox.stop()
  await sandbox.ended
  expect(onEnd).not.toHaveBeenCalled()
})

test.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
  '%s, which comes to all processes of a terminal or a supervisor, leaves it to its parent, which finishes first',
  async (signal) => {
    const { sandbox, onEnd } = await started()
    process.kill(sandbox.processId ?? Number.NaN, signal)
    // The signal is taken before the second answer at the latest.
    for (let answers = 0; answers < 2; answers++) expect((await fetch(`${sandbox.url}/v1/messages`)).status).toBe(200)
    sandbox.stop()
    await sandbox.ended
    expect(onEnd).not.toHaveBeenCalled()
  },
)
