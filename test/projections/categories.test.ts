import { expect, test } from 'vitest'
import { categoryEvents } from '../../src/domain/category.ts'
import { categories, categoryQueries } from '../../src/projections/categories.ts'
import { happenings, readModel } from '../../src/testing/read-model.ts'

const { given } = readModel(categories)
const [listCategories, getCategory] = categoryQueries

const kitchen = happenings(categoryEvents, 'kitchen')
const kitchenGarden = happenings(categoryEvents, 'kitchen-garden')
const teapots = happenings(categoryEvents, 'teapots')
const shop = given(
  kitchenGarden('CategoryCreated', {
    slug: 'kitchen-garden',
    titles: { en: 'Kitchen garden' },
    path: ['kitchen-garden'],
  }),
  kitchen('CategoryCreated', { slug: 'kitchen', titles: { en: 'Cooking' }, path: ['kitchen'] }),
  teapots('CategoryCreated', { slug: 'teapots', titles: { en: 'Teapots' }, path: ['kitchen', 'teapots'] }),
  kitchen('CategoryRenamed', { titles: { en: 'Kitchen', de: 'Küche' } }),
)

test('categories are kept with their place in the tree', async () => {
  await shop.expect({
    categories: {
      kitchen: {
        id: 'kitchen',
        slug: 'kitchen',
        titles: { en: 'Kitchen', de: 'Küche' },
        path: ['kitchen'],
        parentId: null,
        place: 'kitchen',
        revision: 1,
      },
      'kitchen-garden': {
        id: 'kitchen-garden',
        slug: 'kitchen-garden',
        titles: { en: 'Kitchen garden' },
        path: ['kitchen-garden'],
        parentId: null,
        place: 'kitchen-garden',
        revision: 0,
      },
      teapots: {
        id: 'teapots',
        slug: 'teapots',
        titles: { en: 'Teapots' },
        path: ['kitchen', 'teapots'],
        parentId: 'kitchen',
        place: 'kitchen teapots',
        revision: 0,
      },
    },
  })
})

test('categories are listed with what is within them right behind, in the nearest language', async () => {
  expect(await shop.ask(listCategories, { language: 'de' })).toMatchObject({
    items: [
      { id: 'kitchen', title: 'Küche', path: ['kitchen'] },
      { id: 'teapots', title: 'Teapots', parentId: 'kitchen' },
      { id: 'kitchen-garden', title: 'Kitchen garden' },
    ],
  })
})

test('the categories directly within one are listed', async () => {
  const answer = await shop.ask(listCategories, { parent: 'kitchen' })
  expect(answer).toMatchObject({ items: [{ id: 'teapots', title: 'Teapots' }] })
  expect(await shop.ask(listCategories, { parent: 'teapots' })).toMatchObject({ items: [] })
})

test('a category is read by its id', async () => {
  expect(await shop.ask(getCategory, { categoryId: 'kitchen', language: 'de' })).toEqual({
    id: 'kitchen',
    slug: 'kitchen',
    titles: { en: 'Kitchen', de: 'Küche' },
    path: ['kitchen'],
    parentId: null,
    title: 'Küche',
    revision: 1,
  })
  expect(await shop.ask(getCategory, { categoryId: 'garden' })).toBeUndefined()
})
