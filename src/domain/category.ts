import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { Id, LocalTitles, Slug } from './values.ts'

/** A group of products, possibly within another. */

const Path = z
  .array(Id)
  .max(10)
  .meta({ description: 'Ids from the outermost category to this one', example: ['kitchen', 'teapots'] })
const ParentId = Id.exactOptional().meta({ description: 'Category that this one is within', example: 'kitchen' })

// Events

export const categoryEvents = defineEvents('category', {
  CategoryCreated: z.object({ slug: Slug, titles: LocalTitles, path: Path }),
  CategoryRenamed: z.object({ titles: LocalTitles }),
})
export type CategoryEvent = EventOf<typeof categoryEvents>

// Commands

export const categoryCommands = {
  CreateCategory: z.strictObject({ slug: Slug, titles: LocalTitles, parentId: ParentId }),
  RenameCategory: z.strictObject({ titles: LocalTitles }),
}
