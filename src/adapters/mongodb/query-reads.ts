import type { ClientSession, CollectionOptions, Db, ReadConcernLevel, ReadPreferenceMode, Timestamp } from 'mongodb'

/** How queries read. What the projector reads and writes does not depend on it. */
export interface QuerySettings {
  readonly readPreference?: ReadPreferenceMode
  readonly readConcern?: ReadConcernLevel
}

/** Options of one read. */
interface InSession {
  readonly session?: ClientSession
  readonly readConcern?: { readonly level: ReadConcernLevel }
}

/** Reads that nothing is written after. */
export interface QueryReads {
  /** Of the collections that are read. */
  readonly options: CollectionOptions
  /** Reads what is at least as new as what `look` has last seen. */
  read<Found>(run: (options: InSession) => Promise<Found>): Promise<Found>
  /** Reads how far something is, and lets no later `read` see less, whichever server answers it. */
  look<Found>(run: (options: InSession) => Promise<Found>): Promise<Found>
}

/**
 * Reads of one generation. Members of a replica set are not equally far: who was told of a position by one of them, and then asks another,
 * would see what was before it. A causally consistent session lets that one wait until it has come as far.
 * @param isReplicated whether there are several that can answer
 */
export function queryReads(database: Db, settings: QuerySettings, isReplicated: () => boolean): QueryReads {
  const { readPreference, readConcern } = settings
  const isOfPrimary = readPreference === undefined || readPreference === 'primary'
  let seen: Timestamp | undefined

  async function inSession<Found>(run: (options: InSession) => Promise<Found>, isLook: boolean): Promise<Found> {
    if (isOfPrimary || !isReplicated()) return run({})
    const session = database.client.startSession({ causalConsistency: true })
    try {
      if (seen) session.advanceOperationTime(seen)
      // Of its own, for the driver writes the session's time into it.
      const found = await run({ session, readConcern: { level: readConcern ?? 'majority' } })
      if (isLook && session.operationTime && !seen?.greaterThan(session.operationTime)) seen = session.operationTime
      return found
    } finally {
      await session.endSession()
    }
  }

  return {
    options: { ...(readPreference && { readPreference }), ...(readConcern && { readConcern }) },
    read: (run) => inSession(run, false),
    look: (run) => inSession(run, true),
  }
}
