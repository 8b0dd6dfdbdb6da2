import { EncryptJWT, jwtDecrypt } from 'jose'
import { z } from 'zod'
import { EmailAddress } from '../domain/values.ts'
import type { Clock } from '../engine/clock.ts'

/**
 * What a link in a mail carries. It is encrypted, so that it needs no place in any store until it comes back, and nobody reads
 * an address in it on the way.
 */
export interface MailToken<Content> {
  make(content: Content): Promise<string>
  /** @returns undefined for what is forged, was made for something else, or has expired */
  read(token: string): Promise<Content | undefined>
}

export interface MailTokenOptions {
  /** 32 bytes. */
  readonly key: Uint8Array
  readonly clock: Pick<Clock, 'now'>
}

const algorithm = 'dir'
const encryption = 'A256GCM'

function mailToken<S extends z.ZodObject>(
  purpose: string,
  schema: S,
  lifetimeMs: number,
  { key, clock }: MailTokenOptions,
): MailToken<z.output<S>> {
  return {
    make: (content) =>
      new EncryptJWT({ ...content })
        .setProtectedHeader({ alg: algorithm, enc: encryption })
        .setAudience(purpose)
        .setExpirationTime(Math.floor((clock.now() + lifetimeMs) / 1_000))
        .encrypt(key),

    async read(token) {
      try {
        const { payload } = await jwtDecrypt(token, key, {
          audience: purpose,
          currentDate: new Date(clock.now()),
          keyManagementAlgorithms: [algorithm],
          contentEncryptionAlgorithms: [encryption],
          requiredClaims: ['exp'],
        })
        return schema.parse(payload)
      } catch {
        return undefined
      }
    },
  }
}

const Registration = z.object({
  /** Of this registration; the customer's id follows from it. */
  jti: z.string(),
  email: EmailAddress,
  name: z.string(),
})

/** Shows that somebody reads the mail of an address. Good for a day. */
export function confirmationTokens(options: MailTokenOptions): MailToken<z.output<typeof Registration>> {
  return mailToken('confirm', Registration, 86_400_000, options)
}

const Reset = z.object({
  /** Of the account. */
  accountId: z.string(),
  /** Of the account: the link is good until its password changes. */
  version: z.int(),
})

/** Lets whoever reads the mail of an account choose another password. Good for an hour. */
export function resetTokens(options: MailTokenOptions): MailToken<z.output<typeof Reset>> {
  return mailToken('reset', Reset, 3_600_000, options)
}
