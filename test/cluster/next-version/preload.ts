import { registerHooks } from 'node:module'

/** Loaded before a process, and each of its threads, has it run the next version of the shop. */

const present = new URL('../../../src/shop.ts', import.meta.url).href
const next = new URL('./shop.ts', import.meta.url).href

registerHooks({
  resolve(specifier, context, resolveNext) {
    const resolved = resolveNext(specifier, context)
    return resolved.url === present && context.parentURL !== next ? { ...resolved, url: next } : resolved
  },
})
