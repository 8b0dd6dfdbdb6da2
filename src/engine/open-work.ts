import { z } from 'zod'
import { deadLetterEvents } from './dead-letter.ts'
import type { Recorded } from './events.ts'
import { type JobDefinition, jobId } from './job.ts'
import { type Change, collection, type Projection } from './projection.ts'

export const OpenWork = z.object({
  id: z.string().meta({ description: 'Id of the job', example: 'authorise-payment:0198f0c2' }),
  job: z.string().meta({ description: 'Kind of work', example: 'authorise-payment' }),
  target: z.string().meta({ description: 'Id of what it is done for', example: '0198f0c2' }),
  key: z.string().meta({ description: 'Tells several jobs of one kind for one target apart', example: '' }),
  dueAt: z.string().meta({ description: 'When it is due', example: '2026-01-01T12:00:00.000Z' }),
  openedAt: z
    .string()
    .meta({ description: 'When the event that asked for it was recorded', example: '2026-01-01T12:00:00.000Z' }),
  correlationId: z.string().meta({
    description: 'Names the request that it follows from',
    example: '4bf92f35-77b3-4da6-a3ce-929d0e0e4736',
  }),
  deadLetter: z.enum(['open', 'retried']).exactOptional().meta({
    description: '`open`: it was set aside and waits for an operator; `retried`: it was, and is to be tried again',
    example: 'retried',
  }),
})
export type OpenWork = z.output<typeof OpenWork>

export const openWorkItems = collection('work', OpenWork, { byDue: ['dueAt'], byJob: ['job', 'dueAt'] })

const { DeadLetterRaised, DeadLetterRetried, DeadLetterDiscarded } = deadLetterEvents.schemas

/** What becomes of work that was set aside. */
function deadLetterChanges({ type, data }: Recorded): readonly Change[] {
  if (type === 'DeadLetterRaised') return changeOf(DeadLetterRaised.parse(data), marked('open'))
  if (type === 'DeadLetterRetried') return changeOf(DeadLetterRetried.parse(data), marked('retried'))
  const { work } = DeadLetterDiscarded.parse(data)
  return work ? changeOf(work, () => undefined) : []
}

function marked(deadLetter: NonNullable<OpenWork['deadLetter']>) {
  return (found: OpenWork): OpenWork => ({ ...found, deadLetter })
}

/** A letter of work that was due at another time is of no concern by now. */
function changeOf(
  { source, subject, dueAt }: { readonly source: string; readonly subject: string; readonly dueAt?: string },
  next: (found: OpenWork) => OpenWork | undefined,
): readonly Change[] {
  if (source !== 'job') return []
  const isMeant = (found: OpenWork) => dueAt === undefined || dueAt === found.dueAt
  return [openWorkItems.change(subject, (found) => (found && isMeant(found) ? next(found) : found))]
}

/** The read model of all work that the log has open, made from what the jobs say opens and settles it. */
export function openWork(jobs: readonly JobDefinition[]): Projection {
  return {
    name: 'open-work',
    version: 2,
    collections: [openWorkItems],
    types: new Set([...deadLetterEvents.byType.keys(), ...jobs.flatMap(({ types }) => [...types])]),
    route: (event) => {
      if (deadLetterEvents.byType.has(event.type)) return deadLetterChanges(event)
      return jobs.flatMap((definition) => {
        if (event.metadata.imported) return []
        const opened = definition.opens(event)
        const settled = definition.settles(event)
        return [
          ...(opened
            ? [openWorkItems.change(jobId(definition.name, opened), () => item(definition, opened, event.metadata))]
            : []),
          ...(settled ? [openWorkItems.change(jobId(definition.name, settled), () => undefined)] : []),
        ]
      })
    },
  }
}

function item(
  { name }: JobDefinition,
  { target, key, dueAt }: Pick<OpenWork, 'target' | 'key' | 'dueAt'>,
  { recordedAt: openedAt, correlationId }: Recorded['metadata'],
): OpenWork {
  return { id: jobId(name, { target, key }), job: name, target, key, dueAt, openedAt, correlationId }
}
