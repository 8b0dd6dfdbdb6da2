import { describe, expect, onTestFinished, test } from 'vitest'
import { connectMongo, type MongoConnection } from '../../../src/adapters/mongodb/connection.ts'
import { mongoCoordination } from '../../../src/adapters/mongodb/coordination.ts'
import { mongoKeyVault } from '../../../src/adapters/mongodb/key-vault.ts'

/** A connection to where no server is. */
function unreachable(): MongoConnection {
  const connection = connectMongo('mongodb://127.0.0.1:1/shop?serverSelectionTimeoutMS=20')
  onTestFinished(() => connection.close())
  return connection
}

describe('where no MongoDB answers', () => {
  test('nothing is agreed on, and each question says to try again', async () => {
    const cluster = mongoCoordination(unreachable())
    const seen = { name: 'orders:0', owner: 'bob', token: 1, beat: 1 }
    const held = new Map([['orders:0', 1]])
    const questions = [
      cluster.leases(),
      cluster.take('orders:0', 'ada', undefined),
      cluster.take('orders:0', 'ada', seen),
      cluster.renew('ada', held),
      cluster.release('ada', held),
      cluster.members(),
      cluster.announce('ada', {}),
      cluster.leave('ada'),
      cluster.ask({ id: '1', action: 'skip', projection: 'orders' }),
      cluster.asked(),
      cluster.settle('1'),
    ]
    for (const result of await Promise.allSettled(questions)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'UnavailableError' } })
    }
  })

  test('no key is made, none is given, and nobody counts as forgotten', async () => {
    const vault = mongoKeyVault(unreachable())
    const questions = [
      vault.keyFor('ada'),
      vault.keyFor('bob'),
      vault.keys(['ada']),
      vault.forget('ada'),
      vault.secret('hashes'),
      Array.fromAsync(vault.entries()),
      vault.restore([{ kind: 'forgotten', name: 'ada' }]),
    ]
    for (const result of await Promise.allSettled(questions)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'UnavailableError' } })
    }
  })
})
