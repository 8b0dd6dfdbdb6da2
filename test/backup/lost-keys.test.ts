import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteKeyVault } from '../../src/adapters/sqlite/key-vault.ts'
import { describeLost, keyCheck } from '../../src/backup/lost-keys.ts'
import { registryOf } from '../../src/engine/engine.ts'
import { forReading } from '../../src/shop.ts'
import { newEvent } from '../contract/new-event.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const sealed = (person: string) => `sealed1.${Buffer.alloc(40).toString('base64url')}.${person}`

test('however many keys are lost, so many are counted and no more', async () => {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const file = join(path, 'vault.db')
  const vault = openSqliteKeyVault({ file })
  await vault.keyFor('ada')
  await vault.close()
  const keys = keyCheck(file, registryOf(forReading([])))
  onTestFinished(keys.close)
  const look = (person: string) =>
    keys.look([
      {
        ...newEvent({ type: 'CustomerRenamed', data: { name: sealed(person) } }),
        position: 1,
        stream: 'customer-x',
        revision: 0,
      },
    ])
  look('ada')
  expect(describeLost(keys.lost())).toBeUndefined()
  for (let person = 0; person < 10_000; person++) look(`person-${person}`)
  look('person-0')
  expect(keys.lost()).toMatchObject({ persons: 10_000, isMore: false })
  look('person-10000')
  look('person-10001')
  expect(keys.lost()).toMatchObject({ persons: 10_000, isMore: true, first: expect.arrayContaining(['person-0']) })
  expect(describeLost(keys.lost())).toContain('of more than 10,000 persons')
})
