import { test } from 'vitest'
import { category, categoryEvents } from '../../src/domain/category.ts'
import { having, specification } from '../../src/testing/specification.ts'

const { given, event } = specification(category, categoryEvents, { id: 'teapots' })
const titles = { en: 'Teapots' }
const created = (path: string[] = ['teapots'], slug = 'teapots') => event('CategoryCreated', { slug, titles, path })
const kitchen = having(category, 'kitchen', created(['home', 'kitchen'], 'kitchen'))

test('an outermost category has itself for a path', () => {
  given().when('CreateCategory', { slug: 'teapots', titles }).then(created())
})

test('a category within another goes on its path', () => {
  given()
    .when('CreateCategory', { slug: 'teapots', titles, parentId: 'kitchen' }, { facts: [kitchen] })
    .then(created(['home', 'kitchen', 'teapots']))
})

test('what it is to be within must exist, so it is never within itself', () => {
  given()
    .when('CreateCategory', { slug: 'teapots', titles, parentId: 'kitchen' })
    .thenRejected('category-not-found', { id: 'kitchen' })
  given()
    .when('CreateCategory', { slug: 'teapots', titles, parentId: 'teapots' })
    .thenRejected('category-not-found', { id: 'teapots' })
})

test('categories are 10 deep at most', () => {
  const path = (depth: number) => [...Array.from({ length: depth - 1 }, (_, number) => `c${number}`), 'deep']
  const within = (depth: number) =>
    given().when(
      'CreateCategory',
      { slug: 'teapots', titles, parentId: 'deep' },
      { facts: [having(category, 'deep', created(path(depth), 'deep'))] },
    )
  within(9).then(created([...path(9), 'teapots']))
  within(10).thenRejected('category-too-deep')
})

test('created with the same content again, nothing happens; with other content it is refused', () => {
  const before = created(['home', 'kitchen', 'teapots'])
  given(before).when('CreateCategory', { slug: 'teapots', titles, parentId: 'kitchen' }).thenNothing()
  given(before).when('CreateCategory', { slug: 'teapots', titles }).thenRejected('category-exists')
  given(before).when('CreateCategory', { slug: 'pots', titles, parentId: 'kitchen' }).thenRejected('category-exists')
})

test('a category gets other titles', () => {
  const renamed = event('CategoryRenamed', { titles: { en: 'Tea pots' } })
  given(created())
    .when('RenameCategory', { titles: { en: 'Tea pots' } })
    .then(renamed)
  given(created()).when('RenameCategory', { titles }).thenNothing()
  given().when('RenameCategory', { titles }).thenRejected('category-not-found', { id: 'teapots' })
})
