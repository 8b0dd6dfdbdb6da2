import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { z } from 'zod'

/** Every setting: read from the environment, with its default, its unit in its name and what it is for. */

const Port = z.coerce.number().int().min(0).max(65_535)
const Count = z.coerce.number().int().min(1)
const Milliseconds = z.coerce.number().int().min(1).max(86_400_000)
const List = z.string().transform((value) =>
  value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)
const ProxyAddress = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()])
  .refine((address) => !address.endsWith('/0'), 'must not be everybody: then each client could choose its address')
/** How many proxies stand before Daybook, or which. */
const Proxies = z.union(
  [
    z
      .string()
      .regex(/^\d{1,2}$/)
      .transform(Number),
    List.pipe(z.array(ProxyAddress)),
  ],
  'must be a number of proxies, or their addresses and networks (10.0.0.0/8), separated by commas',
)

/** Whether a page can have this origin: as the Fetch standard writes it, any (`*`), or that of pages which have none (`null`). */
function isOrigin(text: string): boolean {
  if (text === '*' || text === 'null') return true
  const url = URL.parse(text)
  return url !== null && !/^$|\*/.test(url.host) && text === `${url.protocol}//${url.host}`
}

const Origins = List.refine((origins) => origins.every(isOrigin), {
  error: ({ input }) =>
    `must be origins as browsers send them, separated by commas, such as https://shop.example or http://localhost:5173; ${Array.isArray(input) ? input.find((each) => !isOrigin(String(each))) : input} is none`,
})
/** Of what people keep: from a minute to ten years. */
const Lifetime = z.coerce.number().int().min(60_000).max(315_576_000_000)
const Secret = z.string().min(32, 'must have at least 32 characters')

/** An address of a server; it may hold a password. */
function serverUrl(...protocols: string[]) {
  const beginnings = protocols.map((each) => `${each}://`)
  return z
    .string()
    .refine(
      (url) => beginnings.some((beginning) => url.startsWith(beginning) && url.length > beginning.length),
      `must begin with ${beginnings.join(' or ')}`,
    )
}

const settings = {
  EVENTSTOREDB_URL: serverUrl('esdb', 'esdb+discover')
    .optional()
    .describe('EventStoreDB that has the log; a file in the data directory if absent'),
  MONGODB_URL: serverUrl('mongodb', 'mongodb+srv')
    .optional()
    .describe('MongoDB that has the read models and the keys; files in the data directory if absent'),
  REDIS_URL: serverUrl('redis', 'rediss')
    .optional()
    .describe('Redis that has the jobs; a file in the data directory if absent'),
  DAYBOOK_DATA_DIR: z
    .string()
    .min(1)
    .default('./data')
    .describe('Directory of the log, the read models, the jobs and the keys'),
  DAYBOOK_HOST: z.string().min(1).default('127.0.0.1').describe('Address that the API listens on'),
  DAYBOOK_PORT: Port.default(3000).describe('Port of the API; 0 for any that is free'),
  DAYBOOK_METRICS_HOST: z.string().min(1).default('127.0.0.1').describe('Address that /metrics listens on'),
  DAYBOOK_METRICS_PORT: Port.default(9464).describe('Port of /metrics; 0 for any that is free'),
  DAYBOOK_TOKEN_SECRET: Secret.optional().describe(
    'Secret that the tokens of customers and guests are signed with; at least 32 characters',
  ),
  DAYBOOK_TOKEN_LIFETIME_MS: z.coerce
    .number()
    .int()
    .min(60_000)
    .max(31_536_000_000)
    .default(2_592_000_000)
    .describe('How long a token of a guest is good'),
  DAYBOOK_TOKEN_PREVIOUS_SECRETS: List.pipe(z.array(Secret).max(10))
    .optional()
    .describe('Secrets that tokens were signed with before, separated by commas: those tokens stay good'),
  DAYBOOK_ACCESS_TOKEN_LIFETIME_MS: z.coerce
    .number()
    .int()
    .min(60_000)
    .max(3_600_000)
    .default(900_000)
    .describe('How long an access token of a customer is good'),
  DAYBOOK_SESSION_LIFETIME_MS: Lifetime.default(7_776_000_000).describe(
    'How long after the log-in a session ends, whatever is done',
  ),
  DAYBOOK_SESSION_IDLE_MS: Lifetime.default(2_592_000_000).describe('How long a session lasts without being used'),
  DAYBOOK_ACCOUNT_REQUESTS_PER_MINUTE: Count.default(60).describe(
    'Log-ins, registrations and the like of one address in a minute, of each kind',
  ),
  DAYBOOK_SMTP_URL: serverUrl('smtp', 'smtps')
    .optional()
    .describe('Server that sends mail, with user and password; with the sandbox gateway mails go there if absent'),
  DAYBOOK_MAIL_FROM: z.string().min(3).max(300).optional().describe('Whom mails are from: Teapots <shop@example.com>'),
  DAYBOOK_SHOP_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Page that links in mails lead to; without it they have a token alone'),
  DAYBOOK_ISSUER: z.url().optional().describe('Another place where customers log in, as its tokens say it (iss)'),
  DAYBOOK_ISSUER_JWKS_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where the keys of that issuer are (JWKS)'),
  DAYBOOK_ISSUER_AUDIENCE: z.string().min(1).max(300).optional().describe('For whom its tokens must be (aud)'),
  DAYBOOK_GATEWAYS: List.default([]).describe('Payment gateways, separated by commas: sandbox'),
  DAYBOOK_SANDBOX_URL: z.url().default('http://127.0.0.1:4010').describe('Where the sandbox gateway is'),
  DAYBOOK_SANDBOX_SECRET: Secret.optional().describe('Secret that the sandbox gateway signs its callbacks with'),
  DAYBOOK_GATEWAY_TIMEOUT_MS: Milliseconds.default(10_000).describe('How long a call to a payment gateway may take'),
  DAYBOOK_PAYMENT_WINDOW_MS: Milliseconds.default(1_800_000).describe(
    'How long an order waits for its payment before it expires',
  ),
  DAYBOOK_WEBHOOKS_ALLOW_PRIVATE: z
    .stringbool()
    .default(false)
    .describe(
      'Whether webhooks may go to private addresses, and in the clear: true only where all receivers are your own',
    ),
  DAYBOOK_WEBHOOKS_TIMEOUT_MS: Milliseconds.default(15_000).describe('How long a call of a webhook may take'),
  DAYBOOK_WEBHOOKS_DISABLE_AFTER_MS: z.coerce
    .number()
    .int()
    .min(1)
    .max(31_536_000_000)
    .default(432_000_000)
    .describe('How long a webhook may fail without any success before it is disabled'),
  DAYBOOK_CORS_ORIGINS: Origins.default([]).describe('Origins of web pages that may call the API, separated by commas'),
  DAYBOOK_TRUST_PROXY: Proxies.default([]).describe(
    'Proxies whose X-Forwarded-For is believed: their addresses and networks, separated by commas; or how many there are one behind the other, if nobody can get past them; none by default',
  ),
  DAYBOOK_BODY_LIMIT_BYTES: Count.max(1_000_000).default(262_144).describe('Largest body of a request'),
  DAYBOOK_RATE_LIMIT_PER_MINUTE: Count.default(6_000).describe(
    'Requests of one API key or customer in a minute, and of all guests of one address',
  ),
  DAYBOOK_GUEST_TOKENS_PER_MINUTE: Count.default(60).describe('Guest tokens for one address in a minute'),
  DAYBOOK_QUERY_WAIT_MS: Milliseconds.default(5_000).describe(
    'How long a query waits for the position that it was sent',
  ),
  DAYBOOK_ANSWER_TIMEOUT_MS: Milliseconds.default(10_000).describe(
    'How long a command waits for its outcome before it is answered 503',
  ),
  DAYBOOK_MAX_WAITING: Count.default(10_000).describe(
    'Commands that may wait to be decided before more are answered 503',
  ),
  DAYBOOK_MAX_REQUESTS: Count.default(500).describe(
    'Requests under way at a time before more are answered 503; those that only wait are not counted',
  ),
  DAYBOOK_MAX_TURN_MS: Milliseconds.default(100).describe(
    'How long the event loop may be busy with requests that it took together before it takes fewer of them',
  ),
  DAYBOOK_CACHED_STREAMS: Count.default(10_000).describe('Streams whose state is kept in memory'),
  DAYBOOK_SWEEP_EVERY_MS: Milliseconds.default(60_000).describe(
    'How often open work that the queue has lost is put back',
  ),
  DAYBOOK_MEMBER: z
    .string()
    .regex(/^[\w.-]{1,60}$/, 'must be of letters, digits, dots and dashes')
    .default(hostname())
    .describe('What this process is called in a cluster'),
  DAYBOOK_LEASE_MS: Milliseconds.min(1_000)
    .default(5_000)
    .describe('How long a process of a cluster may be silent before others take over its work'),
  DAYBOOK_MONGODB_READ_PREFERENCE: z
    .enum(['primary', 'primaryPreferred', 'secondaryPreferred', 'nearest'])
    .default('primary')
    .describe('Which members of a MongoDB replica set answer queries'),
  DAYBOOK_MONGODB_READ_CONCERN: z
    .enum(['local', 'majority'])
    .default('majority')
    .describe('Whether queries see only what most members of a MongoDB replica set have'),
  DAYBOOK_REDIS_PREFIX: z
    .string()
    .regex(/^[\w-]{1,40}$/, 'must be of letters, digits and dashes')
    .default('daybook')
    .describe('What the names of all keys in Redis begin with'),
  DAYBOOK_LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least level that is logged'),
}

/** Settings that are secret: never printed, and readable from a file named by the setting with `_FILE` behind it. */
const secrets = [
  'EVENTSTOREDB_URL',
  'MONGODB_URL',
  'REDIS_URL',
  'DAYBOOK_TOKEN_SECRET',
  'DAYBOOK_TOKEN_PREVIOUS_SECRETS',
  'DAYBOOK_SMTP_URL',
  'DAYBOOK_SANDBOX_SECRET',
] as const

const Settings = z.object(settings)
export type Config = z.output<typeof Settings>

/** A setting that is wrong; the message names each and says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

function fromFiles(environment: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of secrets) {
    const file = environment[`${name}_FILE`]
    if (file === undefined) continue
    if (environment[name] !== undefined)
      throw new ConfigError(`Both ${name} and ${name}_FILE are set. Set one of them.`)
    try {
      found[name] = readFileSync(file, 'utf8').trim()
    } catch (error) {
      throw new ConfigError(`${name}_FILE can't be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return found
}

/** What a setting must be, where its schema does not say it in words of its own. */
function wording(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'number' || issue.expected === 'int' ? 'must be a whole number' : undefined
    case 'too_small':
      return issue.origin === 'number'
        ? `must be at least ${issue.minimum}`
        : `must not be shorter than ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'number' ? `must be at most ${issue.maximum}` : `must not be longer than ${issue.maximum}`
    case 'invalid_value':
      return `must be one of ${issue.values.join(', ')}`
    case 'invalid_format':
      return issue.format === 'url' ? 'must be a URL, such as https://shop.example' : undefined
    default:
      return undefined
  }
}

/**
 * Reads all settings.
 * @param environment by default the process's
 * @throws ConfigError for a wrong value, and for a DAYBOOK_ name that is no setting
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const known = new Set<string>([...Object.keys(settings), ...secrets.map((name) => `${name}_FILE`)])
  const unknown = Object.keys(environment).filter((name) => name.startsWith('DAYBOOK_') && !known.has(name))
  const wrong = unknown.map(
    (name) => `${name}: is no setting of Daybook; unset or correct it (\`daybook config\` lists all)`,
  )
  const given = { ...environment, ...fromFiles(environment) }
  const parsed = Settings.safeParse(
    Object.fromEntries(Object.keys(settings).map((name) => [name, given[name] === '' ? undefined : given[name]])),
    { error: wording },
  )
  if (!parsed.success) wrong.push(...parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`))
  if (!parsed.success || wrong.length > 0) throw new ConfigError(`The settings are wrong:\n  ${wrong.join('\n  ')}`)
  return parsed.data
}

export interface SettingInfo {
  readonly name: string
  /** Secrets only say whether they are set. */
  readonly value: string
  readonly description: string
}

/** All settings as they are, without secrets; undefined stands for those that can't be read. */
export function describeConfig(config: Config | undefined): readonly SettingInfo[] {
  const values = new Map<string, unknown>(Object.entries(config ?? {}))
  return Object.entries(settings).map(([name, schema]) => {
    const value = values.get(name)
    const isSecret = secrets.some((secret) => secret === name)
    const absent = config === undefined ? '(not read)' : '(not set)'
    const shown =
      value === undefined ? absent : isSecret ? '(set)' : Array.isArray(value) ? value.join(',') : String(value)
    return { name, value: shown, description: schema.description ?? '' }
  })
}
