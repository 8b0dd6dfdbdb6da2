import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { memoryEventStore } from '../../src/adapters/memory/event-store.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { type CopyOptions, copyLog, type LogEnd } from '../../src/engine/copy-log.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import { type EventStore, maxAppendBytes, type RecordedEvent } from '../../src/engine/event-store.ts'
import { logOf } from '../contract/log-readers.ts'
import { eventOfBytes, newEvent } from '../contract/new-event.ts'
import { withAppend } from './handling.ts'

const managers = ['place-order', 'fulfil-order']

function end(given: Partial<LogEnd> = {}): LogEnd {
  return {
    store: memoryEventStore(),
    vault: memoryKeyVault(),
    credentials: memoryCredentialStore(),
    shards: 1,
    ...given,
  }
}

/** Appends events to streams, each to the end of its own. */
async function append(store: EventStore, ...streams: readonly string[]): Promise<readonly RecordedEvent[]> {
  const revisions = new Map<string, number>()
  for (const { stream, revision } of await logOf(store)) revisions.set(stream, revision)
  for (const stream of streams) {
    const revision = revisions.get(stream) ?? -1
    await store.append(stream, revision, [newEvent({ data: { stream, revision } })])
    revisions.set(stream, revision + 1)
  }
  return await logOf(store)
}

/** The log without positions, which differ. */
async function eventsOf({ store }: LogEnd) {
  return (await logOf(store)).map(({ position: _, ...event }) => event)
}

/** A shop that something has happened in: its vault has a key. */
async function endWith(...streams: readonly string[]): Promise<LogEnd> {
  const made = end()
  await made.vault.keyFor('ada')
  await append(made.store, ...streams)
  return made
}

/** A log whose positions are not those of the one that is copied into it: something was written to it before. */
async function emptyWithOtherPositions(shards = 1): Promise<LogEnd> {
  const store = memoryEventStore()
  await store.append('before-1', -1, [newEvent(), newEvent()])
  const [, last] = await logOf(store)
  const after = last?.position ?? 0
  const readAll: EventStore['readAll'] = (options) =>
    store.readAll({ ...options, after: Math.max(after, options.after) })
  return end({ store: { ...store, readAll }, shards })
}

function copy(source: LogEnd, target: LogEnd, options: Partial<CopyOptions> = {}) {
  return copyLog({ source, target, managers, ...options })
}

describe('a copy of a log', () => {
  test('has the same events in the same order, and says how many, and that both are equal', async () => {
    const source = await endWith('order-1', 'cart-1', 'cart-1', 'order-1', 'stock-1', 'cart-1')
    const target = end()
    const report = await copy(source, target)
    expect(await eventsOf(target)).toEqual(await eventsOf(source))
    expect(report).toMatchObject({ present: 0, copied: 6, events: 6 })
    expect(report.digests.source).toMatch(/^[0-9a-f]{64}$/)
    expect(report.digests.target).toBe(report.digests.source)
  })

  test('of an empty log is empty', async () => {
    expect(await copy(end(), end())).toMatchObject({ copied: 0, events: 0 })
  })

  test('keeps events of other versions, and those that this version does not know, as they are', async () => {
    const source = await endWith()
    const old = newEvent({ type: 'OrderPlaced', data: { '2': 'two', '1': 'one', was: null }, metadata: { version: 0 } })
    const newer = newEvent({ type: 'NeverHeardOf', data: { text: '\ud800 — \u2028' }, metadata: { version: 99 } })
    await source.store.append('order-1', -1, [old, newer])
    const appended: string[] = []
    const target = end()
    const store = withAppend(target.store, (original, stream, revision, events) => {
      appended.push(...events.flatMap(({ dataJson, metadataJson }) => [dataJson, metadataJson]))
      return original(stream, revision, events)
    })
    await copy(source, { ...target, store })
    expect(appended).toEqual([old.dataJson, old.metadataJson, newer.dataJson, newer.metadataJson])
  })

  test('appends consecutive events of a stream together, up to the size that an append may have', async () => {
    const source = await endWith('cart-1', 'cart-1', 'order-1', 'cart-1')
    const half = Math.floor(maxAppendBytes / 2)
    for (let revision = -1; revision < 4; revision++)
      await source.store.append('file-1', revision, [eventOfBytes(half)])
    const appended: number[] = []
    const target = end()
    const store = withAppend(target.store, (original, stream, revision, events) => {
      appended.push(events.length)
      return original(stream, revision, events)
    })
    await copy(source, { ...target, store })
    expect(appended).toEqual([2, 1, 1, 2, 2, 1])
  })

  test('goes on with what has come since', async () => {
    const source = await endWith('order-1', 'cart-1')
    const target = end()
    await copy(source, target)
    await append(source.store, 'cart-1', 'order-1', 'order-2')
    expect(await copy(source, target)).toMatchObject({ present: 2, copied: 3, events: 5 })
    expect(await eventsOf(target)).toEqual(await eventsOf(source))
  })

  test('that is complete is only compared', async () => {
    const source = await endWith('order-1', 'cart-1')
    const target = end()
    await copy(source, target)
    const store = withAppend(target.store, () => Promise.reject(new Error('Nothing should be appended')))
    expect(await copy(source, { ...target, store })).toMatchObject({ present: 2, copied: 0, events: 2 })
  })

  test('can be brought back to where it came from', async () => {
    const old = await endWith('order-1', 'cart-1')
    const cluster = end({ shards: 4 })
    await copy(old, cluster)
    await append(cluster.store, 'cart-1', 'order-2')
    expect(await copy(cluster, old)).toMatchObject({ present: 2, copied: 2 })
    expect(await eventsOf(old)).toEqual(await eventsOf(cluster))
  })

  test('shows how far it is', async () => {
    const source = await endWith('order-1', 'cart-1', 'order-1')
    const { position: head } = await source.store.head()
    const shown: string[] = []
    await copy(source, end(), {
      inStage: (stage, work) => work(({ events, position }) => shown.push(`${stage} ${events} ${position === head}`)),
    })
    expect(shown).toEqual(['keys 1 false', 'copy 1 false', 'copy 2 false', 'copy 3 true', 'verify 3 true'])
  })
})

describe('a copy that is interrupted', () => {
  /** What happens to an append: it is done, fails before it is written, or its answer is lost after. */
  const fate = fc.constantFrom('done', 'done', 'done', 'failed', 'answer lost', 'stopped')
  const streams = fc.array(fc.constantFrom('order-1', 'order-2', 'cart-1', 'cart-2', 'stock-1'), { maxLength: 40 })
  const marks = fc.record({ placed: fc.nat(40), fulfilled: fc.nat(40) })

  test('at any append goes on where it was, and ends with the same events, each once', async () => {
    await fc.assert(
      fc.asyncProperty(
        streams,
        fc.array(fate, { maxLength: 60 }),
        marks,
        async (names, fates, { placed, fulfilled }) => {
          const source = await endWith(...names)
          const log = await logOf(source.store)
          const at = (number: number) => log[Math.min(number, log.length) - 1]
          for (const [name, mark] of [
            ['place-order', placed],
            ['fulfil-order', fulfilled],
          ] as const) {
            const event = at(mark)
            if (event === undefined) continue
            const { position, id: eventId } = event
            await source.store.saveCheckpoint(name, { logId: source.store.logId, position, eventId })
          }
          const target = await emptyWithOtherPositions(4)
          const left = [...fates]
          for (;;) {
            const stopping = new AbortController()
            const store = withAppend(target.store, async (original, ...append) => {
              const next = left.shift()
              if (next === 'failed') throw new UnavailableError('log-unavailable', 'No')
              const result = await original(...append)
              if (next === 'answer lost') throw new UnavailableError('log-unavailable', 'The answer was lost')
              if (next === 'stopped') stopping.abort(new Error('Stopped'))
              return result
            })
            const outcome = await copy(source, { ...target, store }, { signal: stopping.signal }).catch(
              (error: unknown) => error,
            )
            const written = await eventsOf(target)
            expect(written).toEqual((await eventsOf(source)).slice(0, written.length))
            if (!(outcome instanceof Error)) break
            expect(await target.store.loadCheckpoint('place-order/0')).toBeUndefined()
          }
          expect(await eventsOf(target)).toEqual(await eventsOf(source))
          const copied = await logOf(target.store)
          for (const [name, mark] of [
            ['place-order', placed],
            ['fulfil-order', fulfilled],
          ] as const) {
            const event = copied[Math.min(mark, log.length) - 1]
            const expected = event && { logId: target.store.logId, position: event.position, eventId: event.id }
            for (const shard of [0, 1, 2, 3]) {
              expect(await target.store.loadCheckpoint(`${name}/${shard}`)).toEqual(expected)
            }
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('a copy is refused', () => {
  test('into a log that holds other events, and nothing is written to it', async () => {
    const source = await endWith('order-1', 'cart-1')
    const target = await endWith('order-1')
    const before = await eventsOf(target)
    await target.vault.keyFor('ada')
    await source.vault.keyFor('ada')
    await expect(copy(source, target)).rejects.toThrow(
      /The target holds another log\. Event 1 .* differ in id.* empty target/,
    )
    expect(await eventsOf(target)).toEqual(before)
  })

  test('into a log that has gone on since it was copied', async () => {
    const source = await endWith('order-1')
    const target = end()
    await copy(source, target)
    await append(target.store, 'order-1')
    await expect(copy(source, target)).rejects.toThrow('it has gone on since it was copied')
  })

  test('where the source has events and an empty vault, which is that of another shop', async () => {
    const source = { ...(await endWith('customer-ada')), vault: memoryKeyVault() }
    const target = end()
    await expect(copy(source, target)).rejects.toThrow(/The source has events, but its vault has no keys.*MONGODB_URL/)
    expect(await eventsOf(target)).toEqual([])
  })

  test('into itself', async () => {
    const source = await endWith('order-1')
    await expect(copy(source, source)).rejects.toThrow('are the same log')
  })

  test('where the target has keys of another shop', async () => {
    const [source, target] = [await endWith('order-1'), end()]
    await source.vault.secret('claims')
    await target.vault.secret('claims')
    await expect(copy(source, target)).rejects.toThrow('other bytes as the secret of claims')
    expect(await eventsOf(target)).toEqual([])
  })

  test('where something else writes to the target meanwhile', async () => {
    const source = await endWith('order-1', 'cart-1', 'order-1')
    const target = end()
    let appends = 0
    const store = withAppend(target.store, async (original, ...args) => {
      if (++appends === 2) await append(target.store, 'order-1')
      return await original(...args)
    })
    await expect(copy(source, { ...target, store })).rejects.toThrow(
      'The target was written to while events were copied',
    )
  })

  test('where something else writes to the source meanwhile, and goes on with it when it is run again', async () => {
    const source = await endWith('order-1', 'cart-1')
    const target = end()
    const inStage: CopyOptions['inStage'] = async (stage, work) => {
      if (stage === 'verify') await append(source.store, 'order-1')
      return await work(() => {})
    }
    await source.store.saveCheckpoint('place-order', await source.store.head())
    await expect(copy(source, target, { inStage })).rejects.toThrow('The source was written to while it was copied')
    expect(await target.store.loadCheckpoint('place-order')).toBeUndefined()
    expect(await copy(source, target)).toMatchObject({ present: 2, copied: 1 })
  })

  test('where an event of the source is not what was copied', async () => {
    const source = await endWith('order-1', 'cart-1', 'order-1')
    const target = end()
    let passes = 0
    const readAll: EventStore['readAll'] = async function* (options) {
      const isVerification = ++passes === 3
      for await (const batch of source.store.readAll(options)) {
        const events = batch.events.map((event, index) =>
          isVerification && index === 1 ? { ...event, data: { ...event.data, revision: 7 } } : event,
        )
        yield { ...batch, events }
      }
    }
    const changed = { ...source, store: { ...source.store, readAll } }
    await expect(copy(changed, target)).rejects.toThrow(
      /The copy is not what the source holds\. Event 2 .* revision 0 of cart-1 in the source.* They differ in data\./,
    )
  })
})

describe('what goes along with a log', () => {
  test('are the keys, the secrets and who was forgotten', async () => {
    const [source, target] = [await endWith('customer-ada'), end()]
    const [ada, claims] = [await source.vault.keyFor('ada'), await source.vault.secret('claims')]
    await source.vault.keyFor('bob')
    await source.vault.forget('bob')
    expect(await copy(source, target)).toMatchObject({ keys: 3 })
    expect(await target.vault.keyFor('ada')).toEqual(ada)
    expect(await target.vault.secret('claims')).toEqual(claims)
    expect(await target.vault.keyFor('bob')).toBeUndefined()
  })

  test('are accounts and sessions', async () => {
    const credentials = { source: memoryCredentialStore(), target: memoryCredentialStore() }
    const source = { ...(await endWith('customer-ada')), credentials: credentials.source }
    const target = end({ credentials: credentials.target })
    const account = { kind: 'account', id: 'hash', owner: 'ada', expiresAt: null, version: 1, data: '{}' }
    await credentials.source.write(account)
    expect(await copy(source, target)).toMatchObject({ credentials: 1 })
    expect(await credentials.target.find('account', 'hash')).toEqual(account)
  })

  test('ends in the target the sessions that have ended in the source since they were copied', async () => {
    const credentials = { source: memoryCredentialStore(), target: memoryCredentialStore() }
    const source = { ...(await endWith('customer-ada')), credentials: credentials.source }
    const target = end({ credentials: credentials.target })
    const stolen = { kind: 'session', id: 'stolen', owner: 'ada', expiresAt: 1, version: 1, data: '{}' }
    for (const id of ['stolen', 'own']) await credentials.source.write({ ...stolen, id })
    await copy(source, target)
    await credentials.source.remove('session', 'stolen')
    await copy(source, target)
    expect((await credentials.target.ofOwner('session', 'ada', 10)).map(({ id }) => id)).toEqual(['own'])
  })

  test('deletes no account in the target that the source lacks, but those of whom was forgotten', async () => {
    const [source, target] = [await endWith('customer-ada'), end()]
    const account = { kind: 'account', expiresAt: null, version: 1, data: '{}' }
    for (const owner of ['ada', 'bob', 'cleo']) {
      await source.vault.keyFor(owner)
      await target.credentials.restore([{ ...account, id: `of-${owner}`, owner }])
    }
    await target.credentials.restore([{ ...account, kind: 'attempts', id: 'somebody', owner: null }])
    await source.vault.forget('bob')
    await copy(source, target)
    const kept: string[] = []
    for await (const batch of target.credentials.entries()) kept.push(...batch.map(({ id }) => id))
    expect(kept).toEqual(['of-ada', 'of-cleo', 'somebody'])
  })

  test('is shown while they are copied, and stopped between two batches', async () => {
    const [source, target] = [await endWith('customer-ada'), end()]
    const session = { kind: 'session', owner: 'ada', expiresAt: 1, version: 1, data: '{}' }
    await source.credentials.restore(Array.from({ length: 1_200 }, (_, number) => ({ ...session, id: `${number}` })))
    const shown: number[] = []
    const stopping = new AbortController()
    const inStage: CopyOptions['inStage'] = (stage, work) =>
      work(({ events }) => {
        if (stage !== 'credentials') return
        shown.push(events)
        if (events === 1_000) stopping.abort(new Error('Stopped'))
      })
    await expect(copy(source, target, { inStage, signal: stopping.signal })).rejects.toThrow('Stopped')
    expect(shown).toEqual([500, 1_000])
  })

  test('are keys of persons who were forgotten in the target, and stay so', async () => {
    const [source, target] = [await endWith('customer-ada'), end()]
    await source.vault.keyFor('ada')
    await target.vault.forget('ada')
    await copy(source, target)
    expect(await target.vault.keyFor('ada')).toBeUndefined()
  })

  test('is what all shards of a process manager have done', async () => {
    const source = { ...(await endWith('order-1', 'order-2', 'order-3', 'order-4')), shards: 2 }
    const { logId } = source.store
    const [, second, third, fourth] = await logOf(source.store)
    for (const [name, event] of [
      ['place-order/0', fourth],
      ['place-order/1', second],
      ['fulfil-order/0', third],
    ] as const) {
      await source.store.saveCheckpoint(name, { logId, position: event?.position ?? 0, eventId: event?.id ?? '' })
    }
    const target = await emptyWithOtherPositions()
    await copy(source, target)
    const copied = await logOf(target.store)
    expect(await target.store.loadCheckpoint('place-order')).toEqual({
      logId: target.store.logId,
      position: copied[1]?.position,
      eventId: second?.id,
    })
    // A shard that has done nothing yet may have missed the first event.
    expect(await target.store.loadCheckpoint('fulfil-order')).toBeUndefined()
  })

  test('is what is done by a manager that was in one piece and is in shards by now, or the other way round', async () => {
    const source = { ...(await endWith('order-1', 'order-2', 'order-3')), shards: 2 }
    const { logId } = source.store
    const [first, second, third] = await logOf(source.store)
    for (const [name, event] of [
      ['place-order', first],
      ['place-order/0', second],
      ['place-order/1', third],
      ['fulfil-order', second],
      ['fulfil-order/0', third],
    ] as const) {
      await source.store.saveCheckpoint(name, { logId, position: event?.position ?? 0, eventId: event?.id ?? '' })
    }
    const { checkpoints } = await copy(source, end())
    expect(checkpoints).toEqual([
      expect.objectContaining({ manager: 'place-order', eventId: second?.id }),
      expect.objectContaining({ manager: 'fulfil-order', eventId: second?.id }),
    ])
  })

  test('is saved under a lease, so that it counts where shards were run before', async () => {
    const source = await endWith('order-1')
    await source.store.saveCheckpoint('place-order', await source.store.head())
    const target = end({ shards: 2 })
    await target.store.saveCheckpoint('place-order/1', { logId: target.store.logId, position: 0, eventId: '' }, 7)
    await expect(copy(source, target)).rejects.toThrow('does not keep the checkpoint of place-order/1')
    const taken: string[] = []
    const takeLease = async (manager: string, shard: number) => taken.push(`${manager}/${shard}`) + 7
    await copy(source, { ...target, takeLease })
    expect(taken).toEqual(['place-order/1'])
    expect(await target.store.loadCheckpoint('place-order/1')).toEqual(await target.store.head())
  })

  test('is no checkpoint of yet another log, and none that takes the target back', async () => {
    const source = await endWith('order-1', 'order-2')
    const target = end()
    const [first, last] = await logOf(source.store)
    const at = (logId: string, event: RecordedEvent | undefined) => ({
      logId,
      position: event?.position ?? 0,
      eventId: event?.id ?? '',
    })
    await source.store.saveCheckpoint('place-order', at('another', last))
    await source.store.saveCheckpoint('fulfil-order', at(source.store.logId, last))
    await copy(source, target)
    expect(await target.store.loadCheckpoint('place-order')).toBeUndefined()
    const further = await target.store.loadCheckpoint('fulfil-order')
    expect(further).toMatchObject({ logId: target.store.logId, eventId: last?.id })
    await source.store.saveCheckpoint('fulfil-order', at(source.store.logId, first))
    await copy(source, target)
    expect(await target.store.loadCheckpoint('fulfil-order')).toEqual(further)
  })

  test('is not a checkpoint that the target does not keep', async () => {
    const source = await endWith('order-1')
    await source.store.saveCheckpoint('place-order', await source.store.head())
    const target = end()
    const store = { ...target.store, saveCheckpoint: async () => {} }
    await expect(copy(source, { ...target, store })).rejects.toThrow('does not keep the checkpoint of place-order')
  })
})
