import { product, productEvents } from '../../../src/domain/product.ts'
import { ask } from '../../../src/engine/command.ts'
import { processManager } from '../../../src/engine/process-manager.ts'
import { idOf } from '../../../src/engine/streams.ts'
import type { Extension } from '../../../src/extension.ts'

/** A process that always fails for good: it asks for what is not there. */
export const failing: Extension = {
  name: 'failing',
  module: import.meta.url,
  processes: [
    processManager({
      name: 'publish-its-twin',
      of: product,
      from: [productEvents],
      route: ({ stream }) => idOf(stream),
      on: { ProductCreated: ({ stream }) => [ask(product, `twin-of-${idOf(stream)}`, 'PublishProduct', {})] },
    }),
  ],
}
