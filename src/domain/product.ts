import { Map as PersistentMap } from 'immutable'
import { z } from 'zod'
import { decider, fact, withFacts } from '../engine/decider.ts'
import { notFound, reject } from '../engine/errors.ts'
import { defineEvents, type EventOf } from '../engine/events.ts'
import { type Category, category } from './category.ts'
import { isSame } from './sameness.ts'
import { Attributes, Id, Language, LocalTitles, Prices, Sku, Slug, TaxCategory, Title } from './values.ts'

/** Something that can be sold, in one or more variants. */

const Text = z.strictObject({
  title: Title,
  description: z.string().trim().max(10_000).meta({ description: 'Longer text', example: 'Holds one litre.' }),
})
const Texts = z
  .record(Language, Text)
  .refine((texts) => Object.keys(texts).length >= 1 && Object.keys(texts).length <= 20, 'needs 1 to 20 languages')
  .meta({
    description: 'Texts by language',
    example: { en: { title: 'Blue teapot', description: 'Holds one litre.' } },
  })
const Image = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .meta({ description: 'Address of the picture', example: 'https://example.com/teapot.jpg' }),
  alt: z.string().trim().max(300).meta({ description: 'What the picture shows', example: 'A blue teapot' }),
})
const Images = z.array(Image).max(50).meta({ description: 'Pictures, the main one first' })
const CategoryIds = z
  .array(Id)
  .max(20)
  .meta({ description: 'Categories that it is in', example: ['teapots'] })
const AllCategoryIds = z
  .array(Id)
  .max(200)
  .meta({ description: 'Those categories and all that they are within', example: ['kitchen', 'teapots'] })
const Variant = {
  sku: Sku,
  titles: LocalTitles.exactOptional().meta({
    description: 'What sets the variant apart, by language',
    example: { en: 'Large' },
  }),
  prices: Prices,
}
const maxVariants = 100

// Events

export const productEvents = defineEvents('product', {
  ProductCreated: z.object({ slug: Slug, texts: Texts, taxCategory: TaxCategory, attributes: Attributes }),
  ProductTextsChanged: z.object({ texts: Texts }),
  ProductImagesChanged: z.object({ images: Images }),
  ProductCategorised: z.object({ categoryIds: CategoryIds, allCategoryIds: AllCategoryIds }),
  ProductTaxCategoryChanged: z.object({ taxCategory: TaxCategory }),
  ProductAttributesChanged: z.object({ attributes: Attributes }),
  VariantAdded: z.object(Variant),
  VariantPricesChanged: z.object({ sku: Sku, prices: Prices }),
  VariantRemoved: z.object({ sku: Sku }),
  ProductPublished: z.object({}),
  ProductUnpublished: z.object({}),
})
export type ProductEvent = EventOf<typeof productEvents>

// State

type Variant = Omit<z.output<typeof productEvents.schemas.VariantAdded>, 'sku'>

export interface Product extends z.output<typeof productEvents.schemas.ProductCreated> {
  readonly status: 'none' | 'draft' | 'published'
  readonly images: z.output<typeof Images>
  readonly categoryIds: readonly string[]
  /** Those categories and all that they are within. */
  readonly allCategoryIds: readonly string[]
  /** By SKU. */
  readonly variants: PersistentMap<string, Variant>
}

const initial: Product = {
  status: 'none',
  slug: '',
  texts: {},
  taxCategory: 'standard',
  attributes: {},
  images: [],
  categoryIds: [],
  allCategoryIds: [],
  variants: PersistentMap(),
}

function evolve(present: Product, event: ProductEvent): Product {
  switch (event.type) {
    case 'ProductCreated':
      return { ...present, ...event.data, status: 'draft' }
    case 'ProductTextsChanged':
    case 'ProductImagesChanged':
    case 'ProductCategorised':
    case 'ProductTaxCategoryChanged':
    case 'ProductAttributesChanged':
      return { ...present, ...event.data }
    case 'VariantAdded': {
      const { sku, ...variant } = event.data
      return { ...present, variants: present.variants.set(sku, variant) }
    }
    case 'VariantPricesChanged': {
      const { sku, prices } = event.data
      const variant = present.variants.get(sku)
      return variant ? { ...present, variants: present.variants.set(sku, { ...variant, prices }) } : present
    }
    case 'VariantRemoved':
      return { ...present, variants: present.variants.delete(event.data.sku) }
    case 'ProductPublished':
      return { ...present, status: 'published' }
    case 'ProductUnpublished':
      return { ...present, status: 'draft' }
  }
}

// Commands

export const productCommands = {
  /** With its first variants, if they are given, and published at once if that is asked for. */
  CreateProduct: z.strictObject({
    slug: Slug,
    texts: Texts,
    taxCategory: TaxCategory.default('standard'),
    attributes: Attributes.default({}),
    categoryIds: CategoryIds.default([]),
    images: Images.default([]),
    variants: z.array(z.strictObject(Variant)).max(maxVariants).default([]).meta({ description: 'First variants' }),
    publish: z.boolean().default(false).meta({ description: 'Show it in the shop at once', example: true }),
  }),
  ChangeProductTexts: z.strictObject({ texts: Texts }),
  ChangeProductImages: z.strictObject({ images: Images }),
  CategoriseProduct: z.strictObject({ categoryIds: CategoryIds }),
  ChangeProductTaxCategory: z.strictObject({ taxCategory: TaxCategory }),
  ChangeProductAttributes: z.strictObject({ attributes: Attributes }),
  AddVariant: z.strictObject(Variant),
  ChangeVariantPrices: z.strictObject({ sku: Sku, prices: Prices }),
  RemoveVariant: z.strictObject({ sku: Sku }),
  PublishProduct: z.strictObject({}),
  UnpublishProduct: z.strictObject({}),
}

// Decisions

type Command<Type extends keyof typeof productCommands> = z.output<(typeof productCommands)[Type]>
type Around = { readonly id: string }

function refuseUnknown({ status }: Product, id: string): void {
  if (status === 'none') throw notFound('product', id)
}

function skuInUse(sku: string) {
  return reject('sku-in-use', 'The product has another variant with this SKU. Give each variant its own.', { sku })
}

function withoutVariants() {
  return reject('product-without-variants', 'A product without variants cannot be sold. Add a variant first.')
}

function categorised(categoryIds: readonly string[], categories: readonly Category[]): ProductEvent {
  const unknown = categoryIds.find((_, place) => categories[place]?.status !== 'created')
  if (unknown !== undefined) throw notFound('category', unknown)
  const unique = [...new Set(categoryIds)]
  const allCategoryIds = [...new Set(categories.flatMap(({ path }) => path))]
  return { type: 'ProductCategorised', data: { categoryIds: unique, allCategoryIds } }
}

function categoriesOf({ categoryIds }: { readonly categoryIds: readonly string[] }) {
  return { categories: categoryIds.map((id) => fact(category, id)) }
}

function isCreatedAs(command: Command<'CreateProduct'>, present: Product): boolean {
  const { publish, variants, categoryIds, ...content } = command
  const { slug, texts, taxCategory, attributes, images } = present
  const presentVariants = present.variants.map((variant, sku) => ({ sku, ...variant }))
  return (
    isSame(content, { slug, texts, taxCategory, attributes, images }) &&
    isSame([...new Set(categoryIds)], present.categoryIds) &&
    variants.length === presentVariants.size &&
    variants.every((variant) => isSame(variant, presentVariants.get(variant.sku))) &&
    (!publish || present.status === 'published')
  )
}

const create = withFacts(
  (command: Command<'CreateProduct'>) => categoriesOf(command),
  (command, present: Product, { facts }): ProductEvent[] => {
    if (present.status !== 'none') {
      if (isCreatedAs(command, present)) return []
      throw reject('product-exists', 'A product with this id was created with other content. Choose another id.')
    }
    const { images, categoryIds, variants, publish, ...content } = command
    const twice = variants.find(({ sku }, place) => variants.findIndex((other) => other.sku === sku) < place)
    if (twice !== undefined) throw skuInUse(twice.sku)
    if (publish && variants.length === 0) throw withoutVariants()
    return [
      { type: 'ProductCreated', data: content },
      ...(images.length > 0 ? [{ type: 'ProductImagesChanged', data: { images } } as const] : []),
      ...(categoryIds.length > 0 ? [categorised(categoryIds, facts.categories)] : []),
      ...variants.map((variant) => ({ type: 'VariantAdded', data: variant }) as const),
      ...(publish ? [{ type: 'ProductPublished', data: {} } as const] : []),
    ]
  },
)

const categorise = withFacts(
  (command: Command<'CategoriseProduct'>) => categoriesOf(command),
  ({ categoryIds }, present: Product, { id, facts }): ProductEvent[] => {
    refuseUnknown(present, id)
    if (isSame([...new Set(categoryIds)], present.categoryIds)) return []
    return [categorised(categoryIds, facts.categories)]
  },
)

function changeTexts({ texts }: Command<'ChangeProductTexts'>, present: Product, { id }: Around): ProductEvent[] {
  refuseUnknown(present, id)
  return isSame(texts, present.texts) ? [] : [{ type: 'ProductTextsChanged', data: { texts } }]
}

function changeImages({ images }: Command<'ChangeProductImages'>, present: Product, { id }: Around): ProductEvent[] {
  refuseUnknown(present, id)
  return isSame(images, present.images) ? [] : [{ type: 'ProductImagesChanged', data: { images } }]
}

function changeTaxCategory(
  { taxCategory }: Command<'ChangeProductTaxCategory'>,
  present: Product,
  { id }: Around,
): ProductEvent[] {
  refuseUnknown(present, id)
  return taxCategory === present.taxCategory ? [] : [{ type: 'ProductTaxCategoryChanged', data: { taxCategory } }]
}

function changeAttributes(
  { attributes }: Command<'ChangeProductAttributes'>,
  present: Product,
  { id }: Around,
): ProductEvent[] {
  refuseUnknown(present, id)
  return isSame(attributes, present.attributes) ? [] : [{ type: 'ProductAttributesChanged', data: { attributes } }]
}

function addVariant(command: Command<'AddVariant'>, present: Product, { id }: Around): ProductEvent[] {
  refuseUnknown(present, id)
  const { sku, ...variant } = command
  const known = present.variants.get(sku)
  if (known !== undefined) {
    if (isSame(variant, known)) return []
    throw skuInUse(sku)
  }
  if (present.variants.size >= maxVariants) {
    throw reject(
      'too-many-variants',
      `A product has ${maxVariants} variants at most. Make another product of this one.`,
    )
  }
  return [{ type: 'VariantAdded', data: command }]
}

function changePrices(command: Command<'ChangeVariantPrices'>, present: Product, { id }: Around): ProductEvent[] {
  refuseUnknown(present, id)
  const variant = present.variants.get(command.sku)
  if (variant === undefined) throw notFound('variant', command.sku)
  return isSame(command.prices, variant.prices) ? [] : [{ type: 'VariantPricesChanged', data: command }]
}

function removeVariant({ sku }: Command<'RemoveVariant'>, present: Product, { id }: Around): ProductEvent[] {
  refuseUnknown(present, id)
  if (!present.variants.has(sku)) return []
  if (present.status === 'published' && present.variants.size === 1) {
    throw reject('last-variant', 'This is the last variant of a published product. Unpublish the product first.', {
      sku,
    })
  }
  return [{ type: 'VariantRemoved', data: { sku } }]
}

function publish(_command: object, present: Product, { id }: Around): ProductEvent[] {
  refuseUnknown(present, id)
  if (present.status === 'published') return []
  if (present.variants.isEmpty()) throw withoutVariants()
  return [{ type: 'ProductPublished', data: {} }]
}

function unpublish(_command: object, present: Product, { id }: Around): ProductEvent[] {
  refuseUnknown(present, id)
  return present.status === 'published' ? [{ type: 'ProductUnpublished', data: {} }] : []
}

export const product = decider({
  events: productEvents,
  commands: productCommands,
  initial,
  evolve,
  decide: {
    CreateProduct: create,
    ChangeProductTexts: changeTexts,
    ChangeProductImages: changeImages,
    CategoriseProduct: categorise,
    ChangeProductTaxCategory: changeTaxCategory,
    ChangeProductAttributes: changeAttributes,
    AddVariant: addVariant,
    ChangeVariantPrices: changePrices,
    RemoveVariant: removeVariant,
    PublishProduct: publish,
    UnpublishProduct: unpublish,
  },
})
