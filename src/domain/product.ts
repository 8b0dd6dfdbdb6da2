import { z } from 'zod'
import { defineEvents, type EventOf } from '../engine/events.ts'
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
    variants: z.array(z.strictObject(Variant)).max(100).default([]).meta({ description: 'First variants' }),
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
