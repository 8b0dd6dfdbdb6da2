import { z } from 'zod'
import { type Decider, decider, fact, withFacts } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { isSame } from './sameness.ts'
import { Id, LocalTitles, Slug } from './values.ts'

/** A group of products, possibly within another. */

const maxDepth = 10
const Path = z
  .array(Id)
  .max(maxDepth)
  .meta({ description: 'Ids from the outermost category to this one', example: ['kitchen', 'teapots'] })
const ParentId = Id.exactOptional().meta({ description: 'Category that this one is within', example: 'kitchen' })

// Events

export const categoryEvents = defineEvents('category', {
  CategoryCreated: z.object({ slug: Slug, titles: LocalTitles, path: Path }),
  CategoryRenamed: z.object({ titles: LocalTitles }),
})
export type CategoryEvent = EventOf<typeof categoryEvents>

// State

export interface Category extends z.output<typeof categoryEvents.schemas.CategoryCreated> {
  readonly status: 'none' | 'created'
}

const initial: Category = { status: 'none', slug: '', titles: {}, path: [] }

function evolve(group: Category, event: CategoryEvent): Category {
  switch (event.type) {
    case 'CategoryCreated':
      return { ...event.data, status: 'created' }
    case 'CategoryRenamed':
      return { ...group, titles: event.data.titles }
  }
}

// Commands

export const categoryCommands = {
  CreateCategory: z.strictObject({ slug: Slug, titles: LocalTitles, parentId: ParentId }),
  RenameCategory: z.strictObject({ titles: LocalTitles }),
}

// Decisions

type Command<Type extends keyof typeof categoryCommands> = z.output<(typeof categoryCommands)[Type]>

/** Its place is for ever: a path only ever leads to what was there before, so that none can be circular. */
const create = withFacts(
  ({ parentId }: Command<'CreateCategory'>) => ({
    parents: parentId === undefined ? [] : [fact(category, parentId)],
  }),
  ({ slug, titles, parentId }, present: Category, { id, facts }): CategoryEvent[] => {
    if (present.status === 'created') {
      if (isSame([slug, titles, parentId], [present.slug, present.titles, present.path.at(-2)])) return []
      throw reject('category-exists', 'A category with this id was created with other content. Choose another id.')
    }
    const [parent] = facts.parents
    if (parentId !== undefined && parent?.status !== 'created') throw notFound('category', parentId)
    const path = [...(parent?.path ?? []), id]
    if (path.length > maxDepth) {
      throw reject('category-too-deep', `Categories are ${maxDepth} deep at most. Put this one within an outer one.`)
    }
    return [{ type: 'CategoryCreated', data: { slug, titles, path } }]
  },
)

function rename({ titles }: Command<'RenameCategory'>, present: Category, { id }: { id: string }): CategoryEvent[] {
  if (present.status === 'none') throw notFound('category', id)
  return isSame(titles, present.titles) ? [] : [{ type: 'CategoryRenamed', data: { titles } }]
}

export const category: Decider<Category, typeof categoryCommands> = decider({
  events: categoryEvents,
  commands: categoryCommands,
  initial,
  evolve,
  decide: { CreateCategory: create, RenameCategory: rename },
})
