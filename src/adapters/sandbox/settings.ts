import { z } from 'zod'
import { Behaviour } from './behaviour.ts'

const HttpUrl = z.url({ protocol: /^https?$/, message: 'must be an http or https URL' })

const Origin = z
  .string()
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'must be origins, such as https://shop.example',
  )

const Settings = Behaviour.extend({
  host: z.string().default('127.0.0.1'),
  /** 0 takes any that is free. */
  port: z.coerce.number().int().min(0).max(65_535).default(4010),
  secret: z.string('must be set'),
  callbackUrl: HttpUrl.optional(),
  publicUrl: HttpUrl.optional(),
  /** Separated by commas. */
  pageOrigins: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((origin) => origin !== ''))
    .pipe(z.array(Origin)),
  callbackRetries: z.coerce.number().int().min(0).max(20).default(8),
  callbackRetryDelayMs: z.coerce.number().int().min(1).max(60_000).default(500),
  callbackTimeoutMs: z.coerce.number().int().min(1).max(60_000).default(5_000),
  maxPayments: z.coerce.number().int().min(1).max(1_000_000).default(50_000),
})
export type Settings = z.output<typeof Settings>

/**
 * Reads the settings: `callbackDelayMs` from `SANDBOX_CALLBACK_DELAY_MS`, and so on. An empty one is not set.
 * @throws Error that names each setting that is not valid, without its value
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const given = Object.keys(Settings.shape).flatMap((key) => {
    const value = environment[settingName(key)]
    return value === undefined || value === '' ? [] : [[key, value] as const]
  })
  const parsed = Settings.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${settingName(String(path[0]))}: ${message}`)
  throw new Error(problems.join('\n'))
}

function settingName(key: string): string {
  return `SANDBOX_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`
}
