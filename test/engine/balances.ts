import { z } from 'zod'
import { collection, derivedCollection, projection } from '../../src/engine/projection.ts'
import { idOf } from '../../src/engine/streams.ts'
import { accountEvents } from './account.ts'

/** A read model of accounts to test the engine with, which can be told to fail. */

const Balance = z.object({ balance: z.int(), movements: z.int() })
const Rich = z.object({ account: z.string(), balance: z.int() })

export const balances = collection('balances', Balance, { byBalance: ['balance'] })
export const rich = derivedCollection('rich', Rich, { byBalance: ['balance'] }, balances, (id, { balance }) =>
  balance >= 10 ? new Map([[`rich-${id}`, { account: id, balance }]]) : new Map(),
)

/** @param isPoison amounts that the projection fails on */
export function balancesProjection(isPoison: (amount: number) => boolean = () => false, version = 1) {
  const move = (stream: string, amount: number) =>
    balances.change(idOf(stream), (before = { balance: 0, movements: 0 }) => {
      if (isPoison(amount)) throw new Error(`${amount} is poison`)
      return { balance: before.balance + amount, movements: before.movements + 1 }
    })
  return projection({
    name: 'balances',
    version,
    collections: [balances, rich],
    from: [accountEvents],
    on: {
      Deposited: ({ stream, data }) => move(stream, data.amount),
      Withdrawn: ({ stream, data }) => move(stream, -data.amount),
    },
  })
}
