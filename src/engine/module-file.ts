import { extname } from 'node:path'

/**
 * The address of another module: TypeScript where the sources run, JavaScript where they were compiled.
 * @param path relative to the asking module, without its extension
 * @param from `import.meta.url` of the module that asks
 */
export function moduleBeside(path: string, from: string): URL {
  return new URL(`${path}${extname(from)}`, from)
}
