import { registerHooks } from 'node:module'

/** Preloaded by a program that imports the client by its name in the package, which is not built here. */
const client = new URL('../../src/client/client.ts', import.meta.url).href
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'daybook/client' ? { url: client, shortCircuit: true } : next(specifier, context),
})
