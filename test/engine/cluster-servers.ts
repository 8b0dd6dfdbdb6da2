import { v4 } from 'uuid'
import { onTestFinished } from 'vitest'
import { z } from 'zod'
import { memoryCoordination } from '../../src/adapters/memory/coordination.ts'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { memorySignal } from '../../src/adapters/memory/signal.ts'
import { systemClock } from '../../src/engine/clock.ts'
import { type ClusterPorts, startCluster } from '../../src/engine/cluster.ts'
import { type Role, roles } from '../../src/engine/cluster-member.ts'
import { ask } from '../../src/engine/command.ts'
import { decider } from '../../src/engine/decider.ts'
import { buildHere, type Definitions, defaultLimits } from '../../src/engine/engine.ts'
import { defineEvents } from '../../src/engine/events.ts'
import { processManager } from '../../src/engine/process-manager.ts'
import { idOf } from '../../src/engine/streams.ts'
import { account, accountEvents } from './account.ts'
import { balancesProjection } from './balances.ts'

/** Whatever a customer deposits is matched in the savings of the same account. */
const match = processManager({
  name: 'match',
  of: account,
  from: [accountEvents],
  route: ({ stream, metadata }) => (metadata.actor.kind === 'customer' ? idOf(stream) : undefined),
  on: { Deposited: ({ stream, data: { amount } }) => [ask(account, `${idOf(stream)}:saved`, 'Deposit', { amount })] },
})

/** An aggregate that only a newer version knows. */
export const gift = decider({
  events: defineEvents('gift', { GiftWrapped: z.object({ paper: z.string() }) }),
  commands: {},
  initial: {},
  evolve: (state) => state,
  decide: {},
})

const leaseMs = 400

/** Servers that several processes share, and a way to start one of those processes. */
export function servers() {
  const shared: ClusterPorts = {
    store: { ...memoryEventStore(), soleWriter: false },
    readStore: memoryReadStore(),
    queue: memoryJobQueue({ clock: systemClock }),
    vault: memoryKeyVault(),
    clock: systemClock,
    coordination: memoryCoordination(),
    signal: memorySignal(),
  }

  async function join(name: string, given: Partial<Definitions> & { roles?: readonly Role[] } = {}) {
    const definitions: Definitions = {
      aggregates: [account],
      projections: [balancesProjection()],
      processes: [match],
      jobs: [],
      ...given,
    }
    const life = mortal(shared)
    const failures: unknown[] = []
    const engine = await startCluster(definitions, life.ports, {
      limits: { ...defaultLimits, retirementMs: 300 },
      builder: buildHere(definitions, life.ports),
      roles: new Set(given.roles ?? roles),
      name,
      version: '1.0.0',
      leaseMs,
      awaited: new Set(['account']),
      newId: v4,
      onFailure: (error) => failures.push(error),
    })
    onTestFinished(async () => {
      life.revive()
      await engine.stop()
    })
    return { engine, failures, die: life.die, revive: life.revive }
  }
  return { shared, join }
}

/** Ports that stop answering when their process is paused, and go on where they were when it is woken. */
function mortal(ports: ClusterPorts) {
  let asleep: { readonly woken: Promise<void>; readonly wake: () => void } | undefined
  const guarded = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          const result: unknown = Reflect.apply(value, target, args)
          if (!(result instanceof Promise)) return result
          return asleep ? asleep.woken.then(() => Reflect.apply(value, target, args)) : result
        }
      },
    })
  return {
    ports: { ...ports, coordination: guarded(ports.coordination) },
    die() {
      const { promise, resolve } = Promise.withResolvers<void>()
      asleep = { woken: promise, wake: resolve }
    },
    revive() {
      asleep?.wake()
      asleep = undefined
    },
  }
}
