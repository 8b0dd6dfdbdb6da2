import { createHmac } from 'node:crypto'
import { accountRecords } from './accounts/account-records.ts'
import { attempts } from './accounts/attempts.ts'
import { commonPasswords } from './accounts/common-passwords.ts'
import { credentialSweep } from './accounts/credential-sweep.ts'
import { customers } from './accounts/customer-accounts.ts'
import { endedSessions } from './accounts/ended-sessions.ts'
import { guestCarts } from './accounts/guest-cart.ts'
import type { MailGateway } from './accounts/mail-gateway.ts'
import { mailQueue } from './accounts/mail-queue.ts'
import { confirmationTokens, resetTokens } from './accounts/mail-token.ts'
import { mailTexts } from './accounts/mails.ts'
import { passwords } from './accounts/passwords.ts'
import { refreshTokens } from './accounts/refresh-token.ts'
import { sessions } from './accounts/sessions.ts'
import { accountOperations } from './api/accounts/account-operations.ts'
import { exportOperation } from './api/accounts/export-operation.ts'
import { logIns } from './api/accounts/log-in.ts'
import { sessionOperations } from './api/accounts/session-operations.ts'
import { outsideIssuer, withIssuer } from './api/issuer.ts'
import type { Operation } from './api/operation-route.ts'
import { positionTokens } from './api/position-token.ts'
import type { Tokens } from './api/tokens.ts'
import { type Config, ConfigError } from './config.ts'
import type { Claims } from './engine/claims.ts'
import type { Clock } from './engine/clock.ts'
import type { CredentialStore } from './engine/credential-store.ts'
import type { Engine } from './engine/engine.ts'
import type { EventStore } from './engine/event-store.ts'
import type { Signal } from './engine/signal.ts'

/** Customers' accounts: puts together what they are made of. */

export interface AccountsOptions {
  readonly config: Config
  readonly credentials: CredentialStore
  /** Between processes that share the credentials. */
  readonly signal: Signal | undefined
  readonly secrets: {
    /** Of all that is here; the same for ever. */
    readonly accounts: Uint8Array
    /** Of the hash that names the stream of a unique value. */
    readonly claims: Uint8Array
  }
  /** Of the shop itself. */
  readonly tokens: Tokens
  readonly engine: {
    readonly handler: Pick<Engine['handler'], 'handle' | 'fold'>
    readonly projections: Pick<Engine['projections'], 'reader' | 'waitFor' | 'freshen'>
    readonly personal: Engine['personal']
  }
  readonly store: Pick<EventStore, 'head' | 'logId'>
  readonly mail: MailGateway | undefined
  readonly clock: Clock
  /** Told of failures that no request is answered with. */
  readonly onFailure: (error: unknown, where: string) => void
}

export interface Accounts {
  /** Those of the shop, and of the outside issuer if there is one. */
  readonly tokens: Tokens
  /** Whether a session was ended, by this process or another one. */
  isEnded(sessionId: string): Promise<boolean>
  operations(claims: Claims): readonly Operation[]
  /** Gives up mails that were not sent. */
  close(): Promise<void>
}

/** @throws ConfigError for an issuer that is half set */
export function accounts(options: AccountsOptions): Accounts {
  const { config, credentials: store, secrets, engine, clock, onFailure } = options
  const keyFor = (use: string) => createHmac('sha256', secrets.accounts).update(use).digest()
  const hashed = (use: string) => {
    const key = keyFor(use)
    return (text: string) => createHmac('sha256', key).update(text).digest('base64url')
  }
  const issuer = issuerOf(config, clock)
  const tokens = withIssuer(options.tokens, issuer)
  const ended = endedSessions({
    store,
    clock,
    signal: options.signal,
    onFailure: (error) => onFailure(error, 'ended sessions'),
  })
  const held = sessions({
    store,
    tokens: refreshTokens(keyFor('refresh')),
    ended,
    clock,
    lifetimeMs: config.DAYBOOK_SESSION_LIFETIME_MS,
    idleMs: config.DAYBOOK_SESSION_IDLE_MS,
  })
  const taking = logIns({
    tokens,
    sessions: held,
    take: guestCarts({ ...engine, store: options.store, queryWaitMs: config.DAYBOOK_QUERY_WAIT_MS }),
    positions: positionTokens(options.store.logId),
    onFailure: (error) => onFailure(error, 'guest cart'),
  })
  const mail =
    options.mail && mailQueue({ gateway: options.mail, clock, onFailure: (error) => onFailure(error, 'mail') })
  const addressHash = hashed('address')
  const requestsPerMinute = config.DAYBOOK_ACCOUNT_REQUESTS_PER_MINUTE
  const mailed = { key: keyFor('mail'), clock }

  const stopSweep = credentialSweep({ store, clock, onFailure: (error) => onFailure(error, 'credentials') })

  return {
    tokens,
    isEnded: ended.has,

    operations(claims) {
      const known = customers({ ...engine, claims, claimSecret: secrets.claims })
      return [
        ...accountOperations({
          accounts: accountRecords(store, clock),
          customers: known,
          passwords: passwords(),
          common: commonPasswords(),
          attempts: attempts({ store, clock, hash: hashed('attempts') }),
          sessions: held,
          logIns: taking,
          confirmations: confirmationTokens(mailed),
          resets: resetTokens(mailed),
          texts: mailTexts(config.DAYBOOK_SHOP_URL),
          mail,
          accountIdOf: (email) => addressHash(email.trim().toLowerCase()),
          requestsPerMinute,
        }),
        ...sessionOperations({ sessions: held, logIns: taking, customers: known, issuer, requestsPerMinute }),
        exportOperation({ ...engine, sessions: held }),
      ]
    },

    async close() {
      stopSweep()
      ended.close()
      await mail?.close()
    },
  }
}

function issuerOf(config: Config, clock: Clock) {
  const { DAYBOOK_ISSUER: issuer, DAYBOOK_ISSUER_JWKS_URL: jwksUrl, DAYBOOK_ISSUER_AUDIENCE: audience } = config
  if (issuer === undefined && jwksUrl === undefined && audience === undefined) return undefined
  if (issuer === undefined || jwksUrl === undefined || audience === undefined) {
    throw new ConfigError(
      'DAYBOOK_ISSUER, DAYBOOK_ISSUER_JWKS_URL and DAYBOOK_ISSUER_AUDIENCE belong together: set all of them, or none.',
    )
  }
  return outsideIssuer({ issuer, jwksUrl, audience, clock })
}

/**
 * How the shop sends mail: by SMTP, or into the sandbox, where that is what it pays with.
 * @returns undefined where it sends none
 * @throws ConfigError for a server without an address that mails are from
 */
export async function mailGatewayOf(config: Config): Promise<MailGateway | undefined> {
  const { DAYBOOK_SMTP_URL: url, DAYBOOK_MAIL_FROM: from } = config
  if (url !== undefined) {
    if (from === undefined) throw new ConfigError('DAYBOOK_MAIL_FROM: is needed with DAYBOOK_SMTP_URL.')
    const { smtpMailGateway } = await import('./adapters/smtp/mail-gateway.ts')
    return smtpMailGateway({ url, from })
  }
  if (!config.DAYBOOK_GATEWAYS.includes('sandbox')) return undefined
  const { sandboxMailGateway } = await import('./adapters/sandbox/mail-gateway.ts')
  return sandboxMailGateway({ url: config.DAYBOOK_SANDBOX_URL, timeoutMs: config.DAYBOOK_GATEWAY_TIMEOUT_MS })
}
