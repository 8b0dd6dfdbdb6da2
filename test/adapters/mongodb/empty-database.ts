import { randomUUID } from 'node:crypto'
import { connectMongo, type MongoConnection } from '../../../src/adapters/mongodb/connection.ts'

/** A database of its own on the server that `MONGODB_URL` names. */

export interface EmptyDatabase {
  /** How other processes connect to it. */
  readonly url: string
  /** Opens a further connection to it, as another process does. */
  connect(): MongoConnection
  /** Drops it with the keys beside it, and closes all connections. */
  dispose(): Promise<void>
}

const url = process.env.MONGODB_URL

/** Why tests on MongoDB are not run here; empty where they are. */
export const whyNotRun = url === undefined ? ' (not run: set MONGODB_URL)' : ''

export function emptyDatabase(): EmptyDatabase {
  if (url === undefined) throw new Error('Set MONGODB_URL to a server for tests')
  const name = `test-${randomUUID()}`
  const own = new URL(url)
  own.pathname = `/${name}`
  const connections: MongoConnection[] = []

  function connect(): MongoConnection {
    const connection = connectMongo(url ?? '')
    connections.push(connection)
    return { ...connection, database: connection.databaseNamed(name) }
  }

  return {
    url: own.href,
    connect,
    async dispose() {
      const { databaseNamed } = connect()
      for (const database of [name, `${name}_keys`]) await databaseNamed(database).dropDatabase()
      for (const connection of connections) await connection.close()
    },
  }
}
