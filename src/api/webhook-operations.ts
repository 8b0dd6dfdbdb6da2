import { z } from 'zod'
import { Timestamp } from '../domain/values.ts'
import { WebhookId, webhookOf, webhooks, webhooksId } from '../domain/webhooks.ts'
import { staff } from '../engine/access.ts'
import type { Clock } from '../engine/clock.ts'
import type { CommandHandler } from '../engine/command-handler.ts'
import type { KeyVault } from '../engine/key-vault.ts'
import { secretName, secretText, signingSecrets } from '../workers/webhook-secrets.ts'
import { type Operation, operation } from './operation-route.ts'

const Secret = z.string().meta({
  description: 'Secret, as Standard Webhooks writes it',
  example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
})

/** Shows what a webhook's messages are signed with: it is in no event, and no read model. */
export function webhookSecretOperation(
  fold: CommandHandler['fold'],
  vault: Pick<KeyVault, 'secret'>,
  clock: Pick<Clock, 'now'>,
): Operation {
  return operation({
    name: 'showWebhookSecret',
    method: 'GET',
    path: '/v1/webhooks/{webhookId}/secret',
    summary: 'See what the messages of a webhook are signed with',
    description: 'While a secret is replaced there are two, and each message has the signatures of both.',
    who: staff('webhooks'),
    parameters: z.object({ webhookId: WebhookId }),
    result: z.object({
      secret: Secret,
      previous: z
        .object({ secret: Secret, until: Timestamp })
        .nullable()
        .meta({ description: 'The one before, and until when it signs, too; null where it does not', example: null }),
    }),
    status: 200,
    async run({ parameters: { webhookId } }) {
      const webhook = webhookOf((await fold(webhooks, webhooksId)).state, webhookId)
      const textOf = async (secret: number) => secretText(await vault.secret(secretName(webhookId, secret)))
      const [present, previous] = await Promise.all(signingSecrets(webhook, clock.now()).map(textOf))
      const until = webhook.rotation?.previousUntil
      return {
        secret: present ?? '',
        previous: previous !== undefined && until !== undefined ? { secret: previous, until } : null,
      }
    },
  })
}
