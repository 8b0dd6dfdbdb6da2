import { v4 } from 'uuid'
import { expect, test } from 'vitest'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { advance, followerAt } from '../../src/engine/follower.ts'
import { specOf } from '../../src/engine/projection.ts'
import { newEvent } from '../contract/new-event.ts'
import { balancesProjection } from './balances.ts'

const logId = 'log'
/** Bytes of the log between two events, where positions count those. */
const bytesApart = 1_200

function somethingElse(position: number) {
  return { ...newEvent({ type: 'TakenNoteOf' }), stream: 'note-1', revision: 0, position }
}

test('events of no concern let the place be written once in a thousand of them, however far apart their positions are', async () => {
  const definition = balancesProjection()
  const generation = await memoryReadStore().createGeneration(specOf(definition))
  const follower = followerAt(generation, 0)
  const written: number[] = []
  for (let count = 1; count <= 2_500; count++) {
    const position = count * bytesApart
    const to = { events: [], position, eventId: v4(), caughtUp: true }
    await advance(logId, definition, follower, [somethingElse(position)], to)
    expect(follower.position).toBe(position)
    if (follower.savedPosition === position) written.push(count)
  }
  expect(written).toEqual([1_000, 2_000])
  expect((await generation.checkpoint())?.position).toBe(2_000 * bytesApart)
})
