import { v4 } from 'uuid'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { type Clock, systemClock } from '../../src/engine/clock.ts'
import type { Command } from '../../src/engine/command.ts'
import { type CommandHandler, commandHandler } from '../../src/engine/command-handler.ts'
import type { EventStore, RecordedEvent } from '../../src/engine/event-store.ts'
import { eventRegistry } from '../../src/engine/events.ts'
import { foldCache } from '../../src/engine/folds.ts'
import type { ReadStore } from '../../src/engine/read-store.ts'
import { account, accountEvents } from './account.ts'

interface Handling {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly handler: CommandHandler
}

/** A command handler for accounts; each call is a process with a cache of its own over the same stores. */
export function handling(
  given: Partial<Pick<Handling, 'store' | 'readStore'>> & {
    clock?: Clock
    maxWaiting?: number
    maxWaitingBytes?: number
    answerTimeoutMs?: number
  } = {},
): Handling {
  const {
    store = memoryEventStore(),
    readStore = memoryReadStore(),
    clock = systemClock,
    maxWaiting = 1_000,
    maxWaitingBytes = 1_000_000,
    answerTimeoutMs = 5_000,
  } = given
  const folds = foldCache(store, readStore, eventRegistry([accountEvents]), 100)
  const handler = commandHandler({ store, folds, clock, maxWaiting, maxWaitingBytes, answerTimeoutMs })
  return { store, readStore, handler }
}

/** A command of a person for an account. */
export function command(type: string, data: Command['data'], given: Partial<Command> = {}): Command {
  return {
    decider: account,
    target: 'a',
    type,
    data,
    id: v4(),
    hash: JSON.stringify([type, data]),
    actor: { kind: 'customer', id: 'c' },
    correlationId: 'test',
    ...given,
  }
}

export const deposit = (amount: number, given: Partial<Command> = {}) => command('Deposit', { amount }, given)
export const withdraw = (amount: number, given: Partial<Command> = {}) => command('Withdraw', { amount }, given)

/** All events of an account. */
export async function eventsOf(store: EventStore, id = 'a'): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const batch of store.readStream(`account-${id}`)) events.push(...batch)
  return events
}

/** A store whose appends go through a hook: for lost answers, delays and failures. */
export function withAppend(
  store: EventStore,
  append: (
    original: EventStore['append'],
    ...args: Parameters<EventStore['append']>
  ) => ReturnType<EventStore['append']>,
  soleWriter = true,
): EventStore {
  return { ...store, soleWriter, append: (...args) => append(store.append, ...args) }
}
