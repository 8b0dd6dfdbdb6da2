import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { openSqliteKeyVault } from '../../src/adapters/sqlite/key-vault.ts'
import { describeLost, keyCheck } from '../../src/backup/lost-keys.ts'
import { registryOf } from '../../src/engine/engine.ts'
import type { NewEvent, RecordedEvent } from '../../src/engine/event-store.ts'
import { defineEvents, eventRegistry, versioned } from '../../src/engine/events.ts'
import { personal } from '../../src/engine/personal-data.ts'
import { forReading } from '../../src/shop.ts'
import { newEvent } from '../contract/new-event.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

/** Opens a vault that has the key of Ada alone. */
async function vaultFile(): Promise<string> {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const file = join(path, 'vault.db')
  const vault = openSqliteKeyVault({ file })
  await vault.keyFor('ada')
  await vault.close()
  return file
}

const recorded = (event: NewEvent): RecordedEvent => ({ ...event, position: 1, stream: 'customer-x', revision: 0 })

const sealed = (person: string) => `sealed1.${Buffer.alloc(40).toString('base64url')}.${person}`

test('however many keys are lost, so many are counted and no more', async () => {
  const keys = keyCheck(await vaultFile(), registryOf(forReading([])))
  onTestFinished(keys.close)
  const look = (person: string) =>
    keys.look([recorded(newEvent({ type: 'CustomerRenamed', data: { name: sealed(person) } }))])
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

test('an event that the shop itself fails at is looked through as it is', async () => {
  const schema = z.object({ name: personal(z.string()) })
  const gifts = defineEvents('gift', {
    GiftWrapped: versioned(schema, [
      () => {
        throw new Error('No upcaster for this one')
      },
    ]),
  })
  const keys = keyCheck(await vaultFile(), eventRegistry([gifts]))
  onTestFinished(keys.close)
  keys.look([recorded(newEvent({ type: 'GiftWrapped', data: { was: sealed('bob') }, metadata: { version: 1 } }))])
  expect(keys.lost()).toEqual({ persons: 1, isMore: false, first: ['bob'] })
})
