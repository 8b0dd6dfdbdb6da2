import { z } from 'zod'
import { product, productEvents } from '../../src/domain/product.ts'
import { ask } from '../../src/engine/command.ts'
import { job } from '../../src/engine/job.ts'
import { collection, projection } from '../../src/engine/projection.ts'
import { idOf } from '../../src/engine/streams.ts'
import type { Extension } from '../../src/extension.ts'

/** What goes wrong in a shop on purpose: a read model that stumbles over some products, and a job that fails for good. */

const titles = collection('titles', z.object({ slug: z.string() }), { bySlug: ['slug'] })

const productTitles = projection({
  name: 'product-titles',
  version: 1,
  collections: [titles],
  from: [productEvents],
  on: {
    ProductCreated: ({ stream, data: { slug } }) => {
      if (slug === 'poison') throw new Error('There is no such thing as poison')
      return titles.change(idOf(stream), () => ({ slug }))
    },
  },
})

/** Mended and broken by tests; a job that was tried counts. */
export const outside = { isDown: true, tries: 0 }

const announceProduct = job({
  name: 'announce-product',
  of: product,
  from: [productEvents],
  opens: {
    ProductPublished: ({ stream, metadata }) => ({ target: idOf(stream), key: '', dueAt: metadata.recordedAt }),
  },
  settles: { ProductUnpublished: ({ stream }) => ({ target: idOf(stream), key: '' }) },
  isOpen: () => true,
  async run(_state, { target }) {
    outside.tries++
    if (outside.isDown) throw new Error('The outside is down')
    return [ask(product, target, 'UnpublishProduct', {})]
  },
  work: { maxAttempts: 1 },
})

export const troubles: Extension = {
  name: 'troubles',
  module: import.meta.url,
  projections: [productTitles],
  jobs: () => [announceProduct],
}
