import { registerHooks } from 'node:module'
import { shopDocument } from '../api/shop-document.ts'

const header = `// Made by \`npm run client\` from the OpenAPI document: do not edit.\n\n`

/** The types of the client, made from the OpenAPI document of the shop. */
export async function madeSchema(): Promise<string> {
  // openapi-typescript builds its answer with the compiler's own functions, which TypeScript 7 no longer has.
  const hooks = registerHooks({
    resolve: (specifier, context, next) => next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
  })
  try {
    const { default: schemaOf, astToString } = await import('openapi-typescript')
    const document = JSON.stringify(shopDocument('0'))
    return header + astToString(await schemaOf(document, { immutable: true, defaultNonNullable: false }))
  } finally {
    hooks.deregister()
  }
}
