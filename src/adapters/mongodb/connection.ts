import {
  type Db,
  MongoClient,
  type MongoClientOptions,
  MongoError,
  MongoInvalidArgumentError,
  MongoParseError,
  ReadConcern,
} from 'mongodb'
import { UnavailableError } from '../../engine/errors.ts'

/** The one connection of a process to its MongoDB, and what its failures are called here. */

export interface MongoConnection {
  /** The database of the URL's path, `daybook` if it has none. What is read and written there survives the loss of a primary. */
  readonly database: Db
  /** Another database of the same servers, read and written alike. */
  databaseNamed(name: string): Db
  /** Whether collections have to be told how they are sharded; known once anything was asked, as is the next. */
  isSharded(): boolean
  /** Whether several servers can answer the same question. */
  isReplicated(): boolean
  close(): Promise<void>
}

/** Bounds that hold where the URL does not say otherwise: whoever waits gets an answer or an error in seconds. */
const bounds = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 10_000,
  waitQueueTimeoutMS: 5_000,
  heartbeatFrequencyMS: 2_000,
  maxPoolSize: 50,
} satisfies MongoClientOptions

const pathOfUrl = /^mongodb(?:\+srv)?:\/\/[^/]+\/(?<database>[^?]+)/

/**
 * Opens the connection of a process. It connects when it is first used, and again by itself; URL options win over its own.
 * @param url `mongodb://` or `mongodb+srv://`, with credentials, TLS and the replica set as MongoDB has them in there
 * @throws MongoParseError for a URL that is none
 */
export function connectMongo(url: string): MongoConnection {
  const given = new Set(Array.from(new URLSearchParams(url.split('?')[1]).keys(), (name) => name.toLowerCase()))
  const options = Object.entries(bounds).filter(([name]) => !given.has(name.toLowerCase()))
  const client = new MongoClient(url, { appName: 'daybook', ...Object.fromEntries(options) })
  let topology = 'Unknown'
  client.on('topologyDescriptionChanged', ({ newDescription: { type } }) => {
    topology = type
  })

  function databaseNamed(name: string): Db {
    return client.db(name, {
      readPreference: 'primary',
      readConcern: new ReadConcern('majority'),
      writeConcern: { w: 'majority', journal: true, wtimeoutMS: 10_000 },
    })
  }

  const isSharded = () => topology === 'Sharded' || topology === 'LoadBalanced'
  const name = pathOfUrl.exec(url)?.groups?.database
  return {
    database: databaseNamed(name === undefined ? 'daybook' : decodeURIComponent(name)),
    databaseNamed,
    isSharded,
    isReplicated: () => isSharded() || topology.startsWith('ReplicaSet'),
    close: () => client.close(),
  }
}

/** Code of an operation that would have made a second document of one id. Not every server says so in words. */
const duplicateKey = 11_000

/** Whether a write failed because a document of its id is there already; an upsert's filter did not match that one. */
export function isDuplicateKey(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === duplicateKey
}

/**
 * Runs what uses the server.
 * @throws UnavailableError when the server can't be reached, is too slow, is not the primary, or refuses
 */
export async function guarded<Result>(run: () => Promise<Result>): Promise<Result> {
  try {
    return await run()
  } catch (error) {
    // Those two are faults of the code, not of the server.
    if (
      !(error instanceof MongoError) ||
      error instanceof MongoInvalidArgumentError ||
      error instanceof MongoParseError
    )
      throw error
    throw new UnavailableError('mongodb-unavailable', 'MongoDB does not answer', 1, { cause: error })
  }
}
