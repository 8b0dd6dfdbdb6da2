import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import packageJson from '../../package.json' with { type: 'json' }
import { parseSettings } from '../../src/adapters/sandbox/settings.ts'
import { describeConfig, readConfig } from '../../src/config.ts'

/** The compose file fits the settings and the image. Whether its containers work needs a Docker engine. */

const root = join(import.meta.dirname, '../..')

const Service = z.object({
  image: z.string(),
  build: z.string().optional(),
  restart: z.string(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  healthcheck: z.object({ disable: z.literal(true) }).or(z.object({ test: z.array(z.string()).min(2) })),
  networks: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
})
const Compose = z.object({ services: z.record(z.string(), z.unknown()) })

function servicesOf(file: string): Record<string, unknown> {
  return Compose.parse(parse(readFileSync(join(root, file), 'utf8'), { merge: true })).services
}

const services = Object.entries(servicesOf('docker-compose.yml')).map(([name, service]) => {
  const parsed = Service.safeParse(service)
  if (!parsed.success) throw new Error(`The service ${name} lacks something: ${parsed.error.message}`)
  return { name, ...parsed.data }
})
const overrides = servicesOf('deploy/eventstoredb-cluster.yml')
const nodes = ['certificates', 'eventstoredb', 'eventstoredb2', 'eventstoredb3'].map((name) => ({
  name,
  ...Service.parse(overrides[name]),
}))
const image = `daybook:${packageJson.version}`
const ofDaybook = services.filter((service) => service.image === image && service.name !== 'sandbox')
const oneShot = new Set(['seed', 'certificates'])

const made = spawnSync(join(root, 'deploy/make-env'), { encoding: 'utf8' })
const secrets = Object.fromEntries(
  made.stdout
    .trimEnd()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
)

/** Puts in what compose takes from the `.env` of `deploy/make-env`, and the defaults that the file names. */
function resolved(environment: Readonly<Record<string, string>>): Record<string, string> {
  const resolve = (value: string) =>
    value.replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, name: string, how?: string, rest?: string) => {
      const found = secrets[name] ?? (how === '-' ? rest : undefined)
      if (found === undefined) throw new Error(`Nothing sets ${name}`)
      return found
    })
  return Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, resolve(value)]))
}

test('two API processes, a projector, two workers, what they need, and a load balancer', () => {
  expect(services.map(({ name }) => name).sort()).toEqual(
    ['api', 'eventstoredb', 'load-balancer', 'mongodb', 'projector', 'redis', 'sandbox', 'seed', 'worker'].sort(),
  )
  const Replicas = z.object({ deploy: z.object({ replicas: z.int() }) })
  const replicas = ['api', 'worker'].map((name) => Replicas.parse(servicesOf('docker-compose.yml')[name]))
  expect(replicas.map(({ deploy }) => deploy.replicas)).toEqual([2, 2])
})

test.each([...services, ...nodes])('$name is restarted, looked after, and of one version', (service) => {
  expect(service.image).toMatch(/^[\w./-]+:\d+\.\d+\.\d+(?:-[\w.-]+)?$/)
  if (oneShot.has(service.name)) {
    expect(service.restart).toMatch(/^on-failure/)
    expect(service.healthcheck).toEqual({ disable: true })
  } else {
    expect(service.restart).toBe('unless-stopped')
    expect(service.healthcheck).not.toHaveProperty('disable')
  }
})

test('what is built has the version of the package, and one service builds it', () => {
  expect(ofDaybook.map(({ name }) => name).sort()).toEqual(['api', 'projector', 'seed', 'worker'])
  expect(services.filter(({ build }) => build !== undefined).map((service) => service.image)).toEqual([image])
  expect(readFileSync(join(root, 'Dockerfile'), 'utf8')).toMatch(/^FROM node:26\.\d+\.\d+-[\w-]+$/m)
})

test.each(ofDaybook)(
  'every name in the environment of $name is a setting, with a value that it can have',
  (service) => {
    const environment = resolved(service.environment)
    const settings = describeConfig(readConfig(environment)).map(({ name }) => name)
    expect(Object.keys(environment).filter((name) => !settings.includes(name))).toEqual([])
    for (const url of ['EVENTSTOREDB_URL', 'MONGODB_URL', 'REDIS_URL']) expect(environment).toHaveProperty(url)
    expect(service.stop_grace_period).toBe('15s')
  },
)

test('a client is told by what the load balancer alone says', () => {
  const [api] = ofDaybook.filter(({ name }) => name === 'api')
  expect(readConfig(resolved(api?.environment ?? {})).DAYBOOK_TRUST_PROXY).toBe(1)
  expect(readFileSync(join(root, 'deploy/haproxy.cfg'), 'utf8')).toContain('option forwardfor')
})

test('every name in the environment of the sandbox is a setting of it, with a value that it can have', () => {
  const [sandbox] = services.filter(({ name }) => name === 'sandbox')
  const environment = resolved(sandbox?.environment ?? {})
  expect(parseSettings(environment).host).toBe('0.0.0.0')
  /** What the settings become when one has another value; what is no setting changes nothing. */
  function outcome(of: Record<string, string>): string {
    try {
      return JSON.stringify(parseSettings(of))
    } catch (error) {
      return String(error)
    }
  }
  const others = Object.keys(environment).filter(
    (name) => outcome({ ...environment, [name]: '' }) === outcome({ ...environment, [name]: '1' }),
  )
  expect(others).toEqual([])
})

test('only the load balancer can be reached, and from this machine alone', () => {
  const published = services.filter(({ ports }) => ports.length > 0)
  expect(published.map(({ name }) => name)).toEqual(['load-balancer'])
  for (const port of published.flatMap(({ ports }) => ports)) expect(port).toMatch(/^127\.0\.0\.1:/)
  const servers = services.filter(({ name }) => ['eventstoredb', 'mongodb', 'redis'].includes(name))
  expect(servers.map(({ networks }) => networks)).toEqual([['data'], ['data'], ['data']])
})

/** Why something that checks the files is not run; empty where it is. */
function whyNot(command: string, ...arguments_: string[]): string {
  return spawnSync(command, arguments_).status === 0 ? '' : ` (not run: no ${[command, arguments_[0]].join(' ')})`
}

const noCompose = whyNot('docker', 'compose', 'version')

describe.skipIf(noCompose !== '')(`Docker Compose${noCompose}`, () => {
  const base = ['compose', '--project-directory', root, '--file', join(root, 'docker-compose.yml')]
  const withNodes = [...base, '--file', join(root, 'deploy/eventstoredb-cluster.yml')]

  function config(how: readonly string[], environment: Readonly<Record<string, string>>) {
    const { PATH = '', HOME = '', DOCKER_CONFIG = '' } = process.env
    const env = { PATH, HOME, ...(DOCKER_CONFIG !== '' && { DOCKER_CONFIG }), ...environment }
    const { status, stderr } = spawnSync('docker', [...how, '--env-file', '/dev/null', 'config', '--quiet'], {
      env,
      encoding: 'utf8',
    })
    return { status, stderr }
  }

  test.each([
    ['one node', base],
    ['three nodes', withNodes],
  ])('accepts the file with EventStoreDB as %s', (_nodes, how) => {
    expect(config(how, secrets)).toEqual({ status: 0, stderr: '' })
  })

  test('without secrets it is told how to make them', () => {
    const { status, stderr } = config(base, {})
    expect(status).not.toBe(0)
    expect(stderr).toContain('deploy/make-env > .env')
  })
})

const noHaproxy = whyNot('haproxy', '-v')

test.skipIf(noHaproxy !== '')(`HAProxy accepts its file${noHaproxy}`, () => {
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', join(root, 'deploy/haproxy.cfg')], { encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('SQLite has a place for its temporary files in the image where all but the data is read-only', () => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const volume = /^VOLUME (\S+)$/m.exec(dockerfile)?.[1]
  const settingOf = (name: string) => new RegExp(`^(?:ENV)?\\s+${name}=(\\S+)`, 'm').exec(dockerfile)?.[1]
  expect(volume).toBeDefined()
  expect([settingOf('DAYBOOK_DATA_DIR'), settingOf('SQLITE_TMPDIR')]).toEqual([volume, volume])
})
