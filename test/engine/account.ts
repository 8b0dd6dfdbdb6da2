import { z } from 'zod'
import { type Context, type Decider, decider, fact, withFacts } from '../../src/engine/decider.ts'
import { reject } from '../../src/engine/errors.ts'
import { defineEvents, type EventOf } from '../../src/engine/events.ts'

/** A small aggregate to test the engine with, which knows nothing of commerce: an account that is never overdrawn. */

export const accountEvents = defineEvents('account', {
  Deposited: z.object({ amount: z.int() }),
  Withdrawn: z.object({ amount: z.int() }),
})
export type AccountEvent = EventOf<typeof accountEvents>

export interface Account {
  readonly balance: number
}

const commands = {
  Deposit: z.object({ amount: z.int() }),
  Withdraw: z.object({ amount: z.int() }),
  /** Deposits what another account holds. */
  Mirror: z.object({ other: z.string() }),
  Touch: z.object({}),
}

export const account: Decider<Account, typeof commands> = decider({
  events: accountEvents,
  commands,
  initial: { balance: 0 } as Account,
  evolve(state, event) {
    switch (event.type) {
      case 'Deposited':
        return { balance: state.balance + event.data.amount }
      case 'Withdrawn':
        return { balance: state.balance - event.data.amount }
    }
  },
  decide: {
    Deposit: ({ amount }): AccountEvent[] => [{ type: 'Deposited', data: { amount } }],
    Withdraw({ amount }, { balance }): AccountEvent[] {
      if (amount > balance) throw reject('overdrawn', 'There is not enough.', { balance })
      return [{ type: 'Withdrawn', data: { amount } }]
    },
    Mirror: withFacts(
      ({ other }: { other: string }, _state: Account) => ({ other: fact(account, other) }),
      (_command: { other: string }, _state: Account, { facts }: Context<{ other: Account }>): AccountEvent[] => [
        { type: 'Deposited', data: { amount: facts.other.balance } },
      ],
    ),
    Touch: () => [],
  },
  snapshot: {
    version: 1,
    every: 10,
    entries: () => 1,
    save: ({ balance }) => balance,
    load: (saved) => ({ balance: Number(saved) }),
  },
})
