import { z } from 'zod'
import { type JobDefinition, jobId } from './job.ts'
import { collection, type Projection } from './projection.ts'

export const OpenWork = z.object({
  id: z.string().meta({ description: 'Id of the job', example: 'authorise-payment:0198f0c2' }),
  job: z.string().meta({ description: 'Kind of work', example: 'authorise-payment' }),
  target: z.string().meta({ description: 'Id of what it is done for', example: '0198f0c2' }),
  key: z.string().meta({ description: 'Tells several jobs of one kind for one target apart', example: '' }),
  dueAt: z.string().meta({ description: 'When it is due', example: '2026-01-01T12:00:00.000Z' }),
  openedAt: z
    .string()
    .meta({ description: 'When the event that asked for it was recorded', example: '2026-01-01T12:00:00.000Z' }),
})
export type OpenWork = z.output<typeof OpenWork>

export const openWorkItems = collection('work', OpenWork, { byDue: ['dueAt'], byJob: ['job', 'dueAt'] })

/** The read model of all work that the log has open, made from what the jobs say opens and settles it. */
export function openWork(jobs: readonly JobDefinition[]): Projection {
  return {
    name: 'open-work',
    version: 1,
    collections: [openWorkItems],
    types: new Set(jobs.flatMap(({ types }) => [...types])),
    route: (event) =>
      jobs.flatMap((definition) => {
        if (event.metadata.imported) return []
        const opened = definition.opens(event)
        const settled = definition.settles(event)
        return [
          ...(opened
            ? [
                openWorkItems.change(jobId(definition.name, opened), () =>
                  item(definition, opened, event.metadata.recordedAt),
                ),
              ]
            : []),
          ...(settled ? [openWorkItems.change(jobId(definition.name, settled), () => undefined)] : []),
        ]
      }),
  }
}

function item(
  { name }: JobDefinition,
  { target, key, dueAt }: Omit<OpenWork, 'id' | 'job' | 'openedAt'>,
  openedAt: string,
): OpenWork {
  return { id: jobId(name, { target, key }), job: name, target, key, dueAt, openedAt }
}
