import { sandboxGateway } from './adapters/sandbox/gateway.ts'
import { webhookGateway } from './adapters/webhooks/gateway.ts'
import { positionTokens } from './api/position-token.ts'
import { type Config, ConfigError } from './config.ts'
import { personalData } from './engine/personal-data.ts'
import type { Surroundings } from './shop.ts'
import type { Storage } from './storage.ts'
import { version } from './version.ts'
import type { PaymentGateway } from './workers/payment-gateway.ts'

function gatewaysOf(config: Config): readonly PaymentGateway[] {
  return config.DAYBOOK_GATEWAYS.map((name) => {
    if (name !== 'sandbox') throw new ConfigError(`DAYBOOK_GATEWAYS: there is no gateway ${name}. There is: sandbox.`)
    const secret = config.DAYBOOK_SANDBOX_SECRET
    if (secret === undefined) throw new ConfigError('DAYBOOK_SANDBOX_SECRET: is needed with the sandbox gateway.')
    return sandboxGateway({ url: config.DAYBOOK_SANDBOX_URL, secret, timeoutMs: config.DAYBOOK_GATEWAY_TIMEOUT_MS })
  })
}

/**
 * What the shop's work reaches outside, as the settings say it.
 * @param gateways beside those that the settings name
 * @throws ConfigError for a gateway that there is not, and for one without its secret
 */
export function surroundingsOf(
  config: Config,
  { store, vault, credentials, clock }: Pick<Storage, 'store' | 'vault' | 'credentials' | 'clock'>,
  gateways: readonly PaymentGateway[] = [],
): Surroundings {
  return {
    gateways: [...gatewaysOf(config), ...gateways],
    vault,
    credentials,
    open: personalData(vault).open,
    webhooks: {
      gateway: webhookGateway({
        allowsPrivate: config.DAYBOOK_WEBHOOKS_ALLOW_PRIVATE,
        timeoutMs: config.DAYBOOK_WEBHOOKS_TIMEOUT_MS,
        clock,
        userAgent: `Daybook/${version}`,
      }),
      store,
      vault,
      tokenOf: positionTokens(store.logId).tokenOf,
      disableAfterMs: config.DAYBOOK_WEBHOOKS_DISABLE_AFTER_MS,
      clock,
    },
    paymentWindowMs: config.DAYBOOK_PAYMENT_WINDOW_MS,
  }
}
