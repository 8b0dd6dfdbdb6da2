import { describe, expect, onTestFinished, test } from 'vitest'
import { checkRedisSettings } from '../../../src/adapters/redis/server-settings.ts'
import { redisServer, withoutServer } from './redis-server.ts'

describe.skipIf(withoutServer !== undefined)(
  `the settings of Redis${withoutServer ? ` (skipped: ${withoutServer})` : ''}`,
  { timeout: 30_000 },
  () => {
    async function warnings(...settings: readonly string[]): Promise<readonly string[]> {
      const server = await redisServer(...settings)
      onTestFinished(server.dispose)
      return checkRedisSettings({ url: server.url, prefix: 'test' })
    }

    test('give no warning when they are right', async () => {
      expect(await warnings('--appendonly', 'yes', '--maxmemory-policy', 'noeviction')).toEqual([])
    })

    test('that lose jobs are named, with what to do', async () => {
      expect(await warnings('--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru')).toEqual([
        expect.stringMatching(/maxmemory-policy allkeys-lru.*noeviction/),
        expect.stringMatching(/appendonly no.*yes/),
      ])
    })

    test('that may not be asked for are said to be unchecked', async () => {
      expect(await warnings('--rename-command', 'CONFIG', '')).toEqual([
        expect.stringContaining('does not say its appendonly'),
      ])
    })

    test('of a server that is away are said to be unchecked, without its password', async () => {
      const server = await redisServer()
      await server.kill()
      onTestFinished(server.dispose)
      const url = new URL(server.url)
      url.password = 'very-secret'
      const found = await checkRedisSettings({ url: url.href, prefix: 'test' })
      expect(found).toEqual([expect.stringContaining('could not be checked')])
      expect(found.join()).not.toContain('very-secret')
    })
  },
)
