import { z } from 'zod'
import { staff } from '../engine/access.ts'
import type { ReadModels } from '../engine/projections.ts'
import { type Operation, operation } from './operation-route.ts'
import { problem } from './problems.ts'

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,60}$/)
  .meta({ description: 'Name of the read model', example: 'orders' })
const Position = z.int().min(0)

const Progress = z
  .object({
    position: Position.meta({ description: 'Place in the log that it has reached', example: 41_200 }),
    head: Position.meta({ description: 'Place of the log’s last event', example: 90_000 }),
    events: z.int().min(0).meta({ description: 'Events that were folded', example: 12_000 }),
    elapsedMs: z.number().min(0).meta({ description: 'Milliseconds since it began', example: 350 }),
  })
  .meta({ description: 'How far a rebuild is' })

/** How far a read model is. */
export const ProjectionState = z.object({
  name: Name,
  version: z.int().meta({ description: 'Version of its definition', example: 1 }),
  status: z.enum(['live', 'building', 'stopped']).meta({
    description: '`building`: there is nothing to query yet; `stopped`: it failed, and answers as of then',
    example: 'live',
  }),
  position: Position.meta({ description: 'Place in the log that it has reached', example: 90_000 }),
  lag: Position.meta({
    description: 'How far it is behind the log: in events, on EventStoreDB in bytes of its log',
    example: 0,
  }),
  lagMs: z.number().min(0).exactOptional().meta({
    description: 'For how long it has been behind the log, in milliseconds',
    example: 0,
  }),
  eventsPerSecond: z.number().min(0).exactOptional().meta({
    description: 'Events that were folded into it in a second, over the last half minute',
    example: 41.5,
  }),
  error: z.string().exactOptional().meta({ description: 'Why it is stopped', example: 'Projection orders fails on …' }),
  poison: z
    .object({
      position: Position.meta({ description: 'Place of the event in the log', example: 4711 }),
      eventId: z.string().meta({ description: 'Id of the event', example: '0b6cd2b5-3c10-5b0e-9d0b-6d61c1a2f1de' }),
      type: z.string().meta({ description: 'Type of the event', example: 'OrderPlaced' }),
    })
    .exactOptional()
    .meta({ description: 'The event that stopped it' }),
  rebuild: Progress.exactOptional(),
  rebuildFailure: z.string().exactOptional().meta({ description: 'Why the last rebuild failed', example: 'disk full' }),
})

/** What operators do with read models. */
export function projectionOperations(
  projections: Pick<ReadModels, 'status' | 'rebuild' | 'skipPoison'>,
): readonly Operation[] {
  const known = new Set(projections.status().map(({ name }) => name))
  function checked(name: string): string {
    if (!known.has(name)) {
      throw problem(404, 'projection-not-found', `There is no read model ${name}. There are: ${[...known].join(', ')}.`)
    }
    return name
  }
  return [
    operation({
      name: 'listProjections',
      method: 'GET',
      path: '/v1/projections',
      summary: 'See how far the read models are',
      who: staff('system'),
      parameters: z.object({}),
      result: z.object({ items: z.array(ProjectionState).meta({ description: 'All read models' }) }),
      status: 200,
      run: async () => ({ items: [...projections.status()] }),
    }),
    operation({
      name: 'rebuildProjection',
      method: 'POST',
      path: '/v1/projections/{name}/rebuild',
      summary: 'Build a read model anew from the log',
      description: 'In the background: the old one answers until the new one has caught up, and then they are swapped.',
      who: staff('system'),
      parameters: z.object({ name: Name }),
      status: 202,
      run: async ({ parameters: { name } }) => {
        // Its outcome is in the status, for those who asked and for those who did not.
        projections.rebuild(checked(name)).catch(() => {})
      },
    }),
    operation({
      name: 'skipPoisonEvent',
      method: 'POST',
      path: '/v1/projections/{name}/skip',
      summary: 'Let a stopped read model go on behind the event that stopped it',
      description: 'What the event said is then missing from it, until its definition is mended and it is built anew.',
      who: staff('system'),
      parameters: z.object({ name: Name }),
      status: 200,
      run: async ({ parameters: { name } }) => {
        await projections.skipPoison(checked(name))
      },
    }),
  ]
}
