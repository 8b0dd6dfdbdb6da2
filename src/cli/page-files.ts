import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { moduleBeside } from '../engine/module-file.ts'

/** A file as browsers get it. */
export interface PageFile {
  readonly type: string
  readonly body: string
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
}

/** Browsers run no TypeScript: makes JavaScript of it, with everything at its place. */
async function stripped(sources: readonly string[]): Promise<readonly string[]> {
  const thread = new Worker(moduleBeside('./strip-thread', import.meta.url), {
    workerData: sources,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const [answer] = await Promise.race([
    once(thread, 'message'),
    once(thread, 'exit').then(() => {
      throw new Error('The modules of the page could not be read.')
    }),
  ])
  return z.array(z.string()).parse(answer)
}

/** The files of a folder that a page may have, by their addresses below a prefix. */
async function folder(directory: URL, prefix: string): Promise<readonly (readonly [string, string])[]> {
  const names = (await readdir(directory)).filter(
    (name) => types[extname(name)] !== undefined && !name.endsWith('.d.ts'),
  )
  return await Promise.all(
    names.map(async (name) => [`${prefix}${name}`, await readFile(new URL(name, directory), 'utf8')] as const),
  )
}

/**
 * Reads what the storefront is made of: its own files, and the client, which is TypeScript where the sources run and
 * JavaScript in the package. @returns the files by their addresses
 */
export async function storefrontFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const found = [
    ...(await folder(new URL('../../examples/storefront/', import.meta.url), '/')),
    ...(await folder(new URL('../client/', import.meta.url), '/client/')),
    ['/openapi-fetch.js', await readFile(new URL(import.meta.resolve('openapi-fetch')), 'utf8')] as const,
  ]
  const modules = found.filter(([address]) => address.endsWith('.ts'))
  const javaScript = await stripped(modules.map(([, source]) => source))
  const files = new Map(found.map(([address, body]) => [address, { type: types[extname(address)] ?? '', body }]))
  modules.forEach(([address], place) => {
    files.set(address, { type: types['.js'] ?? '', body: javaScript[place] ?? '' })
  })
  const client = files.get(`/client/client${extname(import.meta.url)}`)
  if (client) files.set('/client/client.js', client)
  return files
}
