import { z } from 'zod'
import { Id, Timestamp } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import { deadLetterEvents } from '../engine/dead-letter.ts'
import { collection, projection } from '../engine/projection.ts'
import { documentQuery, pageQuery } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** What failed for good and waits for an operator. */

const OpenDeadLetter = deadLetterEvents.schemas.DeadLetterRaised.extend({
  id: Id.max(500).meta({ description: 'Dead letter', example: '0198f0c2-6666-7a34-9b0e-3f2c1d5a7b88' }),
  raisedAt: Timestamp.meta({
    description: 'When it was set aside, the last time',
    example: '2026-01-15T09:30:00.000Z',
  }),
  revision: z.int().meta({ description: 'Revision of the dead letter, for `If-Match`', example: 0 }),
})
export type OpenDeadLetter = z.output<typeof OpenDeadLetter>

export const openDeadLetters = collection('open', OpenDeadLetter, {
  byRaisedAt: ['raisedAt'],
  byName: ['name', 'raisedAt'],
})

export const deadLetters = projection({
  name: 'dead-letters',
  version: 1,
  collections: [openDeadLetters],
  from: [deadLetterEvents],
  on: {
    DeadLetterRaised: ({ stream, revision, metadata, data }) => {
      const id = idOf(stream)
      return openDeadLetters.change(id, () => ({ ...data, id, raisedAt: metadata.recordedAt, revision }))
    },
    DeadLetterRetried: ({ stream }) => openDeadLetters.change(idOf(stream), () => undefined),
    DeadLetterDiscarded: ({ stream }) => openDeadLetters.change(idOf(stream), () => undefined),
  },
})

const listDeadLetters = pageQuery({
  name: 'listDeadLetters',
  route: 'GET /v1/dead-letters',
  summary: 'What failed for good and is neither retried nor discarded, the newest first',
  who: staff('system'),
  from: deadLetters,
  of: openDeadLetters,
  parameters: z.object({
    name: OpenDeadLetter.shape.name.exactOptional().meta({
      description: 'Only those of this process manager or job',
      example: 'fulfil-order',
    }),
  }),
  item: OpenDeadLetter,
  find: ({ parameters: { name } }) => ({
    ...(name === undefined ? { index: 'byRaisedAt' } : { index: 'byName', equals: [name] }),
    direction: 'descending',
  }),
  show: (found) => found,
})

const getDeadLetter = documentQuery({
  name: 'getDeadLetter',
  route: 'GET /v1/dead-letters/{deadLetterId}',
  summary: 'One thing that failed for good and is neither retried nor discarded',
  who: staff('system'),
  from: deadLetters,
  of: openDeadLetters,
  parameters: z.object({ deadLetterId: OpenDeadLetter.shape.id }),
  id: ({ deadLetterId }) => deadLetterId,
})

export const deadLetterQueries = [listDeadLetters, getDeadLetter] as const
