import { createHash } from 'node:crypto'
import { type Tokens, tokens } from './api/tokens.ts'
import type { Config } from './config.ts'
import type { Clock } from './engine/clock.ts'
import type { EventStore } from './engine/event-store.ts'
import type { KeyVault } from './engine/key-vault.ts'

/** Names a secret without giving it away. */
function fingerprint(secret: Uint8Array): string {
  return createHash('sha256').update(secret).digest('hex')
}

/** The tokens that a shop issues and believes: signed with the secrets of its settings, or where there are none with one of its vault. */
export async function accessTokens(
  config: Config,
  vault: Pick<KeyVault, 'secret'>,
  { logId }: Pick<EventStore, 'logId'>,
  clock: Clock,
): Promise<Tokens> {
  const { DAYBOOK_TOKEN_SECRET: present, DAYBOOK_TOKEN_PREVIOUS_SECRETS: previous = [] } = config
  const signing = present === undefined ? await vault.secret('tokens') : Buffer.from(present)
  const secrets = [signing, ...previous.map((secret) => Buffer.from(secret))]
  return tokens({
    keys: secrets.map((secret) => ({ kid: fingerprint(secret).slice(0, 8), secret })),
    // The shop's own name goes with its keys where it moves; the log's is what older tokens say.
    audiences: [fingerprint(await vault.secret('audience')), logId],
    lifetimesMs: { customer: config.DAYBOOK_ACCESS_TOKEN_LIFETIME_MS, guest: config.DAYBOOK_TOKEN_LIFETIME_MS },
    clock,
  })
}
