import { category, categoryCommands } from '../domain/category.ts'
import { product, productCommands } from '../domain/product.ts'
import { Id } from '../domain/values.ts'
import { staff } from '../engine/access.ts'
import { command } from '../engine/command-definition.ts'

const catalogue = staff('catalogue')
const ChosenId = Id.exactOptional().meta({
  description: 'Identifier, if the shop chooses it itself',
  example: 'blue-teapot',
})

function chosen(body: { readonly id?: string }): string | undefined {
  return body.id
}

/** The body without the chosen id, which names the aggregate and is no part of it. */
function withoutId<B extends { readonly id?: string }>({ id: _id, ...rest }: B): Omit<B, 'id'> {
  return rest
}

const skuClaim = (sku: string) => ({ noun: 'sku', value: sku })

export const categoryRequests = [
  command({
    name: 'createCategory',
    route: 'POST /v1/categories',
    summary: 'Create a category',
    who: catalogue,
    target: category,
    type: 'CreateCategory',
    body: categoryCommands.CreateCategory.extend({ id: ChosenId }),
    creates: { location: '/v1/categories/{categoryId}', id: chosen },
    claims: ({ slug }) => [{ noun: 'category slug', value: slug }],
    toData: withoutId,
  }),
  command({
    name: 'renameCategory',
    route: 'POST /v1/categories/{categoryId}/rename',
    summary: 'Change the titles of a category',
    who: catalogue,
    target: category,
    type: 'RenameCategory',
  }),
]

export const productRequests = [
  command({
    name: 'createProduct',
    route: 'POST /v1/products',
    summary: 'Create a product',
    description: 'With its first variants, and visible at once if `publish` is true.',
    who: catalogue,
    target: product,
    type: 'CreateProduct',
    body: productCommands.CreateProduct.extend({ id: ChosenId }),
    creates: { location: '/v1/admin/products/{productId}', id: chosen },
    claims: ({ slug, variants }) => [
      { noun: 'product slug', value: slug },
      ...variants.map(({ sku }) => skuClaim(sku)),
    ],
    toData: withoutId,
  }),
  command({
    name: 'changeProductTexts',
    route: 'POST /v1/products/{productId}/texts',
    summary: 'Change the texts of a product',
    description: 'Replaces the texts of all languages.',
    who: catalogue,
    target: product,
    type: 'ChangeProductTexts',
  }),
  command({
    name: 'changeProductImages',
    route: 'POST /v1/products/{productId}/images',
    summary: 'Change the pictures of a product',
    who: catalogue,
    target: product,
    type: 'ChangeProductImages',
  }),
  command({
    name: 'categoriseProduct',
    route: 'POST /v1/products/{productId}/categories',
    summary: 'Put a product into categories',
    who: catalogue,
    target: product,
    type: 'CategoriseProduct',
  }),
  command({
    name: 'changeProductTaxCategory',
    route: 'POST /v1/products/{productId}/tax-category',
    summary: 'Change how a product is taxed',
    description: 'Orders that were placed before keep their tax.',
    who: catalogue,
    target: product,
    type: 'ChangeProductTaxCategory',
  }),
  command({
    name: 'changeProductAttributes',
    route: 'POST /v1/products/{productId}/attributes',
    summary: "Change the shop's own values of a product",
    who: catalogue,
    target: product,
    type: 'ChangeProductAttributes',
  }),
  command({
    name: 'addVariant',
    route: 'POST /v1/products/{productId}/variants',
    summary: 'Add a variant to a product',
    who: catalogue,
    target: product,
    type: 'AddVariant',
    claims: ({ sku }) => [skuClaim(sku)],
  }),
  command({
    name: 'changeVariantPrices',
    route: 'POST /v1/products/{productId}/prices',
    summary: 'Change the prices of a variant',
    description: 'Orders that were placed before keep their prices.',
    who: catalogue,
    target: product,
    type: 'ChangeVariantPrices',
  }),
  command({
    name: 'removeVariant',
    route: 'POST /v1/products/{productId}/remove-variant',
    summary: 'Remove a variant from a product',
    description: 'Its SKU stays reserved for this product.',
    who: catalogue,
    target: product,
    type: 'RemoveVariant',
  }),
  command({
    name: 'publishProduct',
    route: 'POST /v1/products/{productId}/publish',
    summary: 'Show a product in the shop',
    who: catalogue,
    target: product,
    type: 'PublishProduct',
  }),
  command({
    name: 'unpublishProduct',
    route: 'POST /v1/products/{productId}/unpublish',
    summary: 'Hide a product from the shop',
    who: catalogue,
    target: product,
    type: 'UnpublishProduct',
  }),
]
