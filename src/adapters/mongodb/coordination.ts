import type { Coordination, Lease, OperatorRequest } from '../../engine/coordination.ts'
import { guarded, type MongoConnection } from './connection.ts'
import { orDuplicate, upserted } from './upsert.ts'

/** What the processes of a cluster agree by, beside the read models that it protects. Each collection has few documents. */

interface LeaseDocument extends Omit<Lease, 'name'> {
  readonly _id: string
}

interface MemberDocument {
  readonly _id: string
  readonly beat: number
  /** As JSON, for names of fields in there may be such as MongoDB can't address. */
  readonly info: string
}

interface RequestDocument extends Omit<OperatorRequest, 'id'> {
  readonly _id: string
  /** Rises from one request to the next. */
  readonly number: number
  readonly settled: boolean
}

interface MongoCoordinationOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Settled requests that are kept, so that one that is sent again is known. */
const keptRequests = 100

/**
 * Leases, members and operators' requests in the database of the read models. A token is handed out only when it survives
 * the loss of a primary, for one that did not would be handed out twice.
 * @param connection closed by who opened it
 */
export function mongoCoordination(
  { database }: Pick<MongoConnection, 'database'>,
  { now = Date.now }: MongoCoordinationOptions = {},
): Coordination {
  const leases = database.collection<LeaseDocument>('leases')
  const members = database.collection<MemberDocument>('members')
  const requests = database.collection<RequestDocument>('requests')

  async function tokens(names: readonly string[], owner: string): Promise<ReadonlyMap<string, number>> {
    const found = await leases.find({ _id: { $in: [...names] }, owner }).toArray()
    return new Map(found.map(({ _id, token }) => [_id, token]))
  }

  /** Higher than any before in a database that was lost or restored: the log takes no checkpoint under a lower one than before. */
  function leastToken(): number {
    return Math.floor(now() / 1_000)
  }

  async function takeFirst(name: string, owner: string): Promise<number | undefined> {
    const token = leastToken()
    const added = await orDuplicate(leases.insertOne({ _id: name, owner, token, beat: 1 }))
    return added === undefined ? undefined : token
  }

  return {
    leases: () =>
      guarded(async () => (await leases.find().toArray()).map(({ _id, ...lease }) => ({ name: _id, ...lease }))),

    take: (name, owner, seen) =>
      guarded(async () => {
        if (seen === undefined) return takeFirst(name, owner)
        const asSeen = { _id: name, owner: seen.owner, token: seen.token, beat: seen.beat }
        const next = { $set: { owner, token: Math.max(seen.token + 1, leastToken()) }, $inc: { beat: 1 } }
        return (await leases.findOneAndUpdate(asSeen, next, { returnDocument: 'after' }))?.token
      }),

    renew: (owner, held) =>
      guarded(async () => {
        if (held.size === 0) return new Set()
        const renewals = Array.from(held, ([_id, token]) => ({
          updateOne: { filter: { _id, owner, token }, update: { $inc: { beat: 1 } } },
        }))
        const { matchedCount } = await leases.bulkWrite(renewals, { ordered: false })
        const names = [...held.keys()]
        if (matchedCount === held.size) return new Set(names)
        const now = await tokens(names, owner)
        return new Set(names.filter((name) => now.get(name) === held.get(name)))
      }),

    release: (owner, held) =>
      guarded(async () => {
        if (held.size === 0) return
        const releases = Array.from(held, ([_id, token]) => ({
          updateOne: { filter: { _id, owner, token }, update: { $set: { owner: '' }, $inc: { beat: 1 } } },
        }))
        await leases.bulkWrite(releases, { ordered: false })
      }),

    members: () =>
      guarded(async () =>
        (await members.find().toArray()).map(({ _id, beat, info }) => ({ id: _id, beat, info: JSON.parse(info) })),
      ),

    announce: (id, info) =>
      guarded(async () => {
        const next = { $set: { info: JSON.stringify(info) }, $inc: { beat: 1 } }
        await upserted(() => members.updateOne({ _id: id }, next, { upsert: true }))
      }),

    leave: (id) =>
      guarded(async () => {
        await members.deleteOne({ _id: id })
      }),

    ask: ({ id, ...asked }) =>
      guarded(async () => {
        const newest = await requests.findOne({}, { sort: { number: -1 } })
        const number = (newest?.number ?? 0) + 1 // of two at once neither is the older one
        const request = { ...asked, number, settled: false }
        await orDuplicate(requests.updateOne({ _id: id }, { $setOnInsert: request }, { upsert: true }))
      }),

    asked: () =>
      guarded(async () => {
        const open = await requests.find({ settled: false }, { sort: { number: 1, _id: 1 } }).toArray()
        return open.map(({ _id, number: _number, settled: _settled, ...request }) => ({ id: _id, ...request }))
      }),

    settle: (id) =>
      guarded(async () => {
        const settled = await requests.findOneAndUpdate({ _id: id }, { $set: { settled: true } })
        if (settled === null) return
        await requests.deleteMany({ settled: true, number: { $lt: settled.number - keptRequests } })
      }),

    async close() {},
  }
}
