import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Member, Started } from './member.ts'
import { forReading } from './next-version/shop.ts'
import { whyNotRun } from './servers.ts'
import { startTrial, stopMs } from './trial.ts'

/** A new version with a new event and new read models comes in process by process, and goes again. */

const nextVersion: Started = { preload: new URL('./next-version/preload.ts', import.meta.url).href }
const presentVersion: Started = {}
const patiently = { timeout: 60_000, interval: 100 }

async function roll(members: readonly Member[], to: Started): Promise<void> {
  for (const member of members) {
    expect(await member.stop(), member.output()).toEqual({ code: 0, signal: null })
    await member.start(to)
  }
}

async function degraded(member: Member): Promise<readonly string[]> {
  const reply = await fetch(new URL('/health/ready', member.url))
  return z.object({ degraded: z.array(z.string()) }).parse(await reply.json()).degraded
}

describe.skipIf(whyNotRun !== '')(`a cluster that is updated while it runs${whyNotRun}`, { timeout: 600_000 }, () => {
  test('serves throughout, there and back; what only the newer version knows waits for it', async () => {
    const { cluster, befall, end } = await startTrial(3)
    const { client, members } = cluster
    await cluster.join('projector2', 'projector')
    const [apis, projectors, workers] = [cluster.of('api'), cluster.of('projector'), cluster.of('worker')]
    const half = [projectors, workers, apis].flatMap((each) => each.slice(0, 1))
    const others = [projectors, workers, apis].flatMap((each) => each.slice(1))
    const [nextApi] = apis

    /** Writes what only the next version can write, where it runs. */
    async function write(note: string): Promise<void> {
      const reply = await fetch(new URL(`/v1/gift-notes/${note}`, nextApi?.url), {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${cluster.staffToken}`,
          'content-type': 'application/json',
          'idempotency-key': note,
        },
        body: JSON.stringify({ text: 'Many happy returns' }),
      })
      expect(reply.status, await reply.text()).toBeLessThan(300)
    }

    await befall('all processes updated, one after the other', () => roll(members, nextVersion))
    await befall('all processes back to the version before', () => roll(members, presentVersion))
    await befall('half of the processes updated, and a new event written', async () => {
      await roll(half, nextVersion)
      await write('first')
      for (const member of others.filter(({ role }) => role !== 'api'))
        await expect.poll(() => degraded(member), patiently).toContain('newer-version')
    })
    await befall('the other half updated', () => roll(others, nextVersion))
    await befall('all processes back with new events in the log, and updated again', async () => {
      await roll(members, presentVersion)
      await sleep(stopMs)
      await roll(members, nextVersion)
    })
    await write('second')
    for (const note of ['first', 'second'])
      await expect.poll(async () => (await client.get(`/v1/gift-notes/${note}`, 'staff')).status, patiently).toBe(200)
    await end(forReading([]))
  })
})
