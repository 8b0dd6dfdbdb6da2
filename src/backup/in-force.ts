import { type ApiKey, apiKey, apiKeyEvents } from '../domain/api-key.ts'
import { webhooks, webhooksId } from '../domain/webhooks.ts'
import type { CommandHandler } from '../engine/command-handler.ts'
import type { EventStore } from '../engine/event-store.ts'
import { idOf } from '../engine/streams.ts'

/** What lets others into a shop, or has it send them something: a restore brings back what was revoked or deleted since. */
export interface InForce {
  readonly apiKeys: readonly (Pick<ApiKey, 'title' | 'scopes'> & { readonly id: string })[]
  readonly webhooks: { readonly active: number; readonly disabled: number }
}

/**
 * Reads from a log what is in force at its end.
 * @param onBatch told after each part; what it throws ends this
 */
export async function inForceOf(
  store: Pick<EventStore, 'readAll'>,
  handler: Pick<CommandHandler, 'fold'>,
  onBatch: () => void,
): Promise<InForce> {
  const ids = new Set<string>()
  for await (const { events } of store.readAll({ after: 0, filter: { types: new Set(apiKeyEvents.byType.keys()) } })) {
    onBatch()
    for (const { stream } of events) ids.add(idOf(stream))
  }
  const apiKeys: InForce['apiKeys'][number][] = []
  for (const id of ids) {
    const { status, title, scopes } = (await handler.fold(apiKey, id)).state
    if (status === 'active') apiKeys.push({ id, title, scopes })
  }
  const subscribed = [...(await handler.fold(webhooks, webhooksId)).state.byId.values()]
  const active = subscribed.filter(({ isActive }) => isActive).length
  return { apiKeys, webhooks: { active, disabled: subscribed.length - active } }
}
