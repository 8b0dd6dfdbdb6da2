import { expect, onTestFinished, test } from 'vitest'
import type { EventStore } from '../../src/engine/event-store.ts'
import { eventRegistry } from '../../src/engine/events.ts'
import type { Held } from '../../src/engine/ownership.ts'
import { processManager } from '../../src/engine/process-manager.ts'
import { checkpointName } from '../../src/engine/process-runner.ts'
import { processLease, processShards } from '../../src/engine/process-shards.ts'
import { shardOf } from '../../src/engine/shards.ts'
import { idOf } from '../../src/engine/streams.ts'
import { newEvent } from '../contract/new-event.ts'
import { manualClock, settled } from '../manual-clock.ts'
import { account, accountEvents } from './account.ts'
import { handling } from './handling.ts'

const shards = 4
const accounts = Array.from({ length: 40 }, (_, index) => `a${index}`)
const ofShards = (...of: readonly number[]) => accounts.filter((id) => of.includes(shardOf(id, shards)))

/** A process that reacts to deposits by taking note of them, with the places that it has kept of its first shard. */
function reacting() {
  const { store, handler } = handling()
  const reacted: string[] = []
  const places: number[] = []
  const manager = processManager({
    name: 'note',
    of: account,
    from: [accountEvents],
    route: ({ stream }) => idOf(stream),
    on: {
      Deposited({ stream }) {
        reacted.push(idOf(stream))
        return []
      },
    },
  })
  const watched: EventStore = {
    ...store,
    async saveCheckpoint(name, checkpoint, fence) {
      if (name === checkpointName('note', 0)) places.push(checkpoint.position)
      await store.saveCheckpoint(name, checkpoint, fence)
    },
  }
  const failures: unknown[] = []
  const processes = processShards({
    store: watched,
    handler,
    registry: eventRegistry([accountEvents]),
    managers: [manager],
    clock: manualClock(),
    maxUnderWay: 100,
    shards,
    onFailure: (error) => failures.push(error),
  })
  onTestFinished(() => processes.stop())
  return { processes, store, reacted, places, failures }
}

function heldOf(...of: readonly number[]): Held {
  return new Map(of.map((shard) => [processLease('note', shard), 1]))
}

async function depositAround(store: EventStore): Promise<number> {
  for (const id of accounts)
    await store.append(`account-${id}`, -1, [newEvent({ type: 'Deposited', data: { amount: 1 } })])
  return (await store.head()).position
}

test('a process that gets a shard that is behind does not react again for those that were further', async () => {
  const { processes, store, reacted, places, failures } = reacting()
  const head = await depositAround(store)
  await processes.apply(heldOf(0))
  await expect.poll(() => places.at(-1)).toBe(head)
  expect([...reacted].sort()).toEqual([...ofShards(0)].sort())
  await processes.apply(heldOf(0, 1))
  const kept = async () => (await store.loadCheckpoint(checkpointName('note', 1)))?.position
  await expect.poll(kept).toBe(head)
  expect([...reacted].sort()).toEqual([...ofShards(0, 1)].sort())
  expect(places).toEqual([...places].sort((one, other) => one - other))
  expect(failures).toEqual([])
})

test('of changes that come faster than they can be made only the last one runs', async () => {
  const { processes, store, reacted } = reacting()
  await Promise.all([processes.apply(heldOf(0)), processes.apply(heldOf(0, 1)), processes.apply(heldOf(2))])
  await depositAround(store)
  await expect.poll(() => reacted.length).toBe(ofShards(2).length)
  await settled()
  expect([...reacted].sort()).toEqual([...ofShards(2)].sort())
})
