import { z } from 'zod'
import { categoryEvents } from '../domain/category.ts'
import { inLanguage } from '../domain/language.ts'
import { Id, Language, Title } from '../domain/values.ts'
import { anyone } from '../engine/access.ts'
import { collection, projection } from '../engine/projection.ts'
import { pageQuery, query } from '../engine/query-definition.ts'
import { idOf } from '../engine/streams.ts'

/** The tree of categories. */

const Category = z.object({
  id: Id.meta({ description: 'Id of the category', example: 'teapots' }),
  ...categoryEvents.schemas.CategoryCreated.shape,
  parentId: Id.nullable().meta({
    description: 'Category that it is within; null for an outermost',
    example: 'kitchen',
  }),
  place: z
    .string()
    .meta({ description: 'Its path as text, which sorts it behind its parent', example: 'kitchen teapots' }),
  revision: z.int().min(0).meta({ description: 'Revision of the category, for `If-Match`', example: 0 }),
})

const categoryDocuments = collection('categories', Category, {
  byPlace: ['place'],
  byParent: ['parentId', 'place'],
})

export const categories = projection({
  name: 'categories',
  version: 1,
  collections: [categoryDocuments],
  from: [categoryEvents],
  on: {
    CategoryCreated: ({ stream, data, revision }) => {
      const id = idOf(stream)
      // A space sorts before all that an id can hold.
      const place = data.path.join(' ')
      return categoryDocuments.change(id, () => ({ id, ...data, parentId: data.path.at(-2) ?? null, place, revision }))
    },
    CategoryRenamed: ({ stream, data, revision }) =>
      categoryDocuments.update(idOf(stream), (category) => ({ ...category, ...data, revision })),
  },
})

export const AskedLanguage = Language.default('en').meta({
  description: 'Language of the texts; where there is none in it, the nearest is shown',
  example: 'en',
})

const ShownCategory = Category.omit({ place: true }).extend({
  title: Title.meta({ description: 'Title in the language', example: 'Teapots' }),
})

function shown(category: z.output<typeof Category>, language: string): z.output<typeof ShownCategory> {
  const { place: _place, ...rest } = category
  return { ...rest, title: inLanguage(category.titles, language) ?? category.slug }
}

const listCategories = pageQuery({
  name: 'listCategories',
  route: 'GET /v1/categories',
  summary: 'List categories, each behind the one that it is within',
  who: anyone(),
  from: categories,
  of: categoryDocuments,
  parameters: z.object({
    language: AskedLanguage,
    parent: Id.exactOptional().meta({ description: 'Only those directly within this one', example: 'kitchen' }),
  }),
  item: ShownCategory,
  find: ({ parameters: { parent } }) =>
    parent === undefined ? { index: 'byPlace' } : { index: 'byParent', equals: [parent] },
  show: (found, { parameters: { language } }) => found.map((category) => shown(category, language)),
})

const getCategory = query({
  name: 'getCategory',
  route: 'GET /v1/categories/{categoryId}',
  summary: 'Read a category',
  who: anyone(),
  from: categories,
  parameters: z.object({ categoryId: Category.shape.id, language: AskedLanguage }),
  result: ShownCategory,
  run: async ({ parameters: { categoryId, language }, reader }) => {
    const [category] = await reader.get(categoryDocuments, [categoryId])
    return category && shown(category, language)
  },
})

export const categoryQueries = [listCategories, getCategory] as const
