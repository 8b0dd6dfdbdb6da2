import { connectFast, type RedisServer } from './connection.ts'

const leastVersion = [6, 2] as const

/** A line of INFO's answer. */
function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < leastVersion[0] || (major === leastVersion[0] && minor < leastVersion[1])
}

/**
 * Checks the settings of a Redis server that matter for jobs.
 * @returns what is wrong, each with what to do; it is for a person to decide
 */
export async function checkRedisSettings(server: RedisServer): Promise<readonly string[]> {
  const { client, run, close } = connectFast(server)
  /** Undefined where a managed Redis forbids to ask. */
  async function setting(name: string): Promise<string | undefined> {
    const found: unknown = await client.config('GET', name).catch(() => undefined)
    return Array.isArray(found) && typeof found[1] === 'string' ? found[1] : undefined
  }

  try {
    const info = await run(() => client.info().catch(() => ''))
    const policy = fieldOf(info, 'maxmemory_policy') ?? (await run(() => setting('maxmemory-policy')))
    const appendOnly = await run(() => setting('appendonly'))
    const version = fieldOf(info, 'redis_version')
    const warnings: string[] = []
    function expect(value: string | undefined, name: string, wanted: string, why: string): void {
      if (value === undefined)
        warnings.push(`Redis does not say its ${name}. See to it yourself that it is ${wanted}: ${why}.`)
      else if (value !== wanted) warnings.push(`Redis has ${name} ${value}. Set it to ${wanted}: ${why}.`)
    }
    expect(policy, 'maxmemory-policy', 'noeviction', 'when its memory is full it drops jobs otherwise')
    expect(appendOnly, 'appendonly', 'yes', 'after a restart jobs wait for the next sweep otherwise')
    if (version === undefined) warnings.push('Redis does not say its version. It has to be 6.2 or newer.')
    else if (isOlder(version)) warnings.push(`Redis is of version ${version}. Take 6.2 or a newer one.`)
    return warnings
  } catch (error) {
    return [`The settings of Redis could not be checked: ${error instanceof Error ? error.message : String(error)}`]
  } finally {
    close()
  }
}
