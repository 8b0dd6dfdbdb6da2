import { describe, test } from 'vitest'
import { category, categoryEvents } from '../../src/domain/category.ts'
import { product, productEvents } from '../../src/domain/product.ts'
import { having, specification } from '../../src/testing/specification.ts'

const { given, event } = specification(product, productEvents, { id: 'teapot' })
const categories = specification(category, categoryEvents)
const created = (path: string[]) =>
  having(
    category,
    path.at(-1) ?? '',
    categories.event('CategoryCreated', { slug: path.join('-'), titles: { en: 'C' }, path }),
  )
const facts = [created(['kitchen', 'teapots']), created(['kitchen', 'gifts']), created(['sale'])]

const content = {
  slug: 'teapot',
  texts: { en: { title: 'Teapot', description: 'Holds one litre.' } },
  taxCategory: 'standard',
  attributes: { material: 'porcelain' },
}
const images = [{ url: 'https://example.com/teapot.jpg', alt: 'A teapot' }]
const blue = { sku: 'BLUE', titles: { en: 'Blue' }, prices: { EUR: 2499 } }
const red = { sku: 'RED', prices: { EUR: 2599, GBP: 2299 } }

const draft = event('ProductCreated', content)
const published = event('ProductPublished', {})
const unpublished = event('ProductUnpublished', {})
const added = (variant: typeof blue | typeof red) => event('VariantAdded', variant)
const categorised = (categoryIds: string[], allCategoryIds: string[]) =>
  event('ProductCategorised', { categoryIds, allCategoryIds })

describe('creating', () => {
  test('a product begins as a draft without anything else', () => {
    given().when('CreateProduct', content).then(draft)
  })

  test('all that is given with it happens at once', () => {
    given()
      .when(
        'CreateProduct',
        { ...content, images, categoryIds: ['teapots', 'sale'], variants: [blue, red], publish: true },
        { facts },
      )
      .then(
        draft,
        event('ProductImagesChanged', { images }),
        categorised(['teapots', 'sale'], ['kitchen', 'teapots', 'sale']),
        added(blue),
        added(red),
        published,
      )
  })

  test('it cannot be published without a variant', () => {
    given()
      .when('CreateProduct', { ...content, publish: true })
      .thenRejected('product-without-variants')
  })

  test('its variants have SKUs of their own', () => {
    given()
      .when('CreateProduct', { ...content, variants: [blue, red, { ...red, sku: 'BLUE' }] })
      .thenRejected('sku-in-use', { sku: 'BLUE' })
  })

  test('its categories must exist', () => {
    given()
      .when('CreateProduct', { ...content, categoryIds: ['sale', 'cups'] }, { facts })
      .thenRejected('category-not-found', { id: 'cups' })
  })

  test('the same content again changes nothing, also when it was published since', () => {
    given(draft, added(blue), added(red), published)
      .when('CreateProduct', { ...content, variants: [red, blue] })
      .thenNothing()
  })

  test('other content under the same id is refused', () => {
    const before = given(draft, added(blue))
    before.when('CreateProduct', { ...content, variants: [red] }).thenRejected('product-exists')
    before.when('CreateProduct', { ...content, variants: [blue, red] }).thenRejected('product-exists')
    before.when('CreateProduct', content).thenRejected('product-exists')
    before.when('CreateProduct', { ...content, slug: 'pot', variants: [blue] }).thenRejected('product-exists')
    before.when('CreateProduct', { ...content, variants: [blue], publish: true }).thenRejected('product-exists')
    before
      .when('CreateProduct', { ...content, variants: [blue], categoryIds: ['sale'] }, { facts })
      .thenRejected('product-exists')
  })
})

describe('changing', () => {
  const texts = { de: { title: 'Teekanne', description: 'Fasst einen Liter.' } }
  const attributes = { constructor: 'by hand', litres: 1 }

  test('each part can be changed, and a change to what is already so is none', () => {
    given(draft)
      .when('ChangeProductTexts', { texts })
      .then(event('ProductTextsChanged', { texts }))
      .when('ChangeProductImages', { images })
      .then(event('ProductImagesChanged', { images }))
      .when('ChangeProductTaxCategory', { taxCategory: 'reduced' })
      .then(event('ProductTaxCategoryChanged', { taxCategory: 'reduced' }))
      .when('ChangeProductAttributes', { attributes })
      .then(event('ProductAttributesChanged', { attributes }))
      .when('CategoriseProduct', { categoryIds: ['gifts', 'teapots', 'gifts'] }, { facts })
      .then(categorised(['gifts', 'teapots'], ['kitchen', 'gifts', 'teapots']))
      .when('CategoriseProduct', { categoryIds: [] })
      .then(categorised([], []))
  })

  test('a product is put only into categories that exist', () => {
    given(draft)
      .when('CategoriseProduct', { categoryIds: ['cups'] })
      .thenRejected('category-not-found', { id: 'cups' })
  })

  test('nothing can be changed of a product that does not exist', () => {
    given().when('ChangeProductTexts', { texts }).thenRejected('product-not-found', { id: 'teapot' })
    given().when('ChangeProductImages', { images }).thenRejected('product-not-found')
    given().when('ChangeProductTaxCategory', { taxCategory: 'reduced' }).thenRejected('product-not-found')
    given().when('ChangeProductAttributes', { attributes }).thenRejected('product-not-found')
    given().when('CategoriseProduct', { categoryIds: [] }).thenRejected('product-not-found')
    given().when('AddVariant', blue).thenRejected('product-not-found')
    given().when('ChangeVariantPrices', red).thenRejected('product-not-found')
    given().when('RemoveVariant', { sku: 'BLUE' }).thenRejected('product-not-found')
    given().when('PublishProduct', {}).thenRejected('product-not-found')
    given().when('UnpublishProduct', {}).thenRejected('product-not-found')
  })
})

describe('variants', () => {
  test('a variant is added, and is the only one with its SKU', () => {
    given(draft).when('AddVariant', blue).then(added(blue))
    given(draft, added(blue))
      .when('AddVariant', { ...red, sku: 'BLUE' })
      .thenRejected('sku-in-use', { sku: 'BLUE' })
  })

  test('a product has 100 variants at most', () => {
    const variants = (count: number) =>
      Array.from({ length: count }, (_, number) => added({ ...blue, sku: `V-${number}` }))
    given(draft, ...variants(99))
      .when('AddVariant', blue)
      .then(added(blue))
    given(draft, ...variants(100))
      .when('AddVariant', blue)
      .thenRejected('too-many-variants')
    given(draft, ...variants(100))
      .when('AddVariant', { ...blue, sku: 'V-7' })
      .thenNothing()
  })

  test('its prices change, and nothing else of it', () => {
    const prices = { EUR: 1999 }
    given(draft, added(blue))
      .when('ChangeVariantPrices', { sku: 'BLUE', prices })
      .then(event('VariantPricesChanged', { sku: 'BLUE', prices }))
      .when('AddVariant', { ...blue, prices })
      .thenNothing()
    given(draft, added(blue))
      .when('ChangeVariantPrices', { sku: 'RED', prices })
      .thenRejected('variant-not-found', { id: 'RED' })
    // A name that every plain object has.
    given(draft).when('ChangeVariantPrices', { sku: 'constructor', prices }).thenRejected('variant-not-found')
  })

  test('a variant is removed', () => {
    given(draft, added(blue))
      .when('RemoveVariant', { sku: 'BLUE' })
      .then(event('VariantRemoved', { sku: 'BLUE' }))
  })

  test('a published product keeps its last variant', () => {
    given(draft, added(blue), published)
      .when('RemoveVariant', { sku: 'BLUE' })
      .thenRejected('last-variant', { sku: 'BLUE' })
    given(draft, added(blue), added(red), published)
      .when('RemoveVariant', { sku: 'BLUE' })
      .then(event('VariantRemoved', { sku: 'BLUE' }))
  })
})

describe('publishing', () => {
  test('a product with a variant is published, and taken back', () => {
    given(draft, added(blue)).when('PublishProduct', {}).then(published).when('UnpublishProduct', {}).then(unpublished)
  })

  test('without a variant it cannot be published', () => {
    given(draft).when('PublishProduct', {}).thenRejected('product-without-variants')
  })
})
