import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { CommandDefinition } from './engine/command-definition.ts'
import { type Definitions, projectionsOf } from './engine/engine.ts'
import type { JobDefinition } from './engine/job.ts'
import { type PersonalData, personalPaths } from './engine/personal-data.ts'
import type { QueryDefinition } from './engine/query-definition.ts'
import type { PaymentGateway } from './workers/payment-gateway.ts'

/** What jobs of an extension can use beside what they bring themselves. */
export interface JobSurroundings {
  /** Opens personal data, which events and states hold sealed. */
  readonly open: PersonalData['open']
}

/** What a shop adds to Daybook: a module exports it, and `daybook({ extensions: [it] })` takes it. */
export interface Extension extends Partial<Omit<Definitions, 'jobs'>> {
  /** Names it in messages, and is how threads find it among the exports of its module. In kebab-case. */
  readonly name: string
  /** `import.meta.url` of the module that exports it: threads that build read models load it from there. */
  readonly module: string
  readonly commands?: readonly CommandDefinition[]
  readonly queries?: readonly QueryDefinition[]
  readonly jobs?: (surroundings: JobSurroundings) => readonly JobDefinition[]
  readonly gateways?: readonly PaymentGateway[]
}

/** How a thread finds an extension. */
export type ExtensionPlace = Pick<Extension, 'name' | 'module'>

/** An extension that does not fit; the message says which, and what to do. */
export class ExtensionError extends Error {
  override readonly name = 'ExtensionError'
}

const Place = z.object({ name: z.string().regex(/^[a-z][a-z0-9-]{0,59}$/), module: z.url() })

function isExtension(value: unknown): value is Extension {
  return Place.safeParse(value).success
}

/** The places of extensions, which can be sent to a thread. */
export function placesOf(extensions: readonly Extension[]): readonly ExtensionPlace[] {
  return extensions.map(({ name, module }) => ({ name, module }))
}

/**
 * Loads extensions from the modules that export them.
 * @throws ExtensionError when a module does not export the extension under any name
 */
export async function loadExtensions(places: readonly ExtensionPlace[]): Promise<readonly Extension[]> {
  return await Promise.all(
    places.map(async ({ name, module }) => {
      const exports: Readonly<Record<string, unknown>> = await import(module)
      const found = Object.values(exports)
        .filter(isExtension)
        .find((each) => each.name === name)
      if (found) return found
      throw new ExtensionError(
        `${module} does not export the extension ${name}. Export it, and set its \`module\` to import.meta.url.`,
      )
    }),
  )
}

function assertUnique(what: string, names: readonly string[]): void {
  const repeated = names.find((name, place) => names.indexOf(name) !== place)
  if (repeated !== undefined)
    throw new ExtensionError(`There are two ${what} called ${repeated}. Give one of them another name.`)
}

/** Who is forgotten is who the data are sealed for: an id that is only nearly the person's would leave them readable. */
function assertPersonIsNamed({ name, decider, type, body, personOf }: CommandDefinition): void {
  if (personOf || personalPaths(decider.commands[type] ?? body).length === 0) return
  throw new ExtensionError(
    `The command ${name} takes personal data and does not say whose, so that it would stay readable when the person is forgotten. Write \`personOf: ({ principal }) => principal.id\` where it is the sender's, or \`personOf: ({ id }) => id\` where the id of the aggregate is the person's.`,
  )
}

/** All that a shop is made of: its aggregates, read models, processes and jobs, and what people may ask of them. */
export interface ShopParts extends Definitions {
  readonly commands: readonly CommandDefinition[]
  readonly queries: readonly QueryDefinition[]
  /** All that can be paid with. */
  readonly gateways: readonly PaymentGateway[]
}

/**
 * Checks what a shop is made of, with its extensions: it would start otherwise, and mix up what has one name.
 * @param scopes all that API keys can have
 * @throws ExtensionError for two of one name, for a permission that no key can have, for a wrong module, and for personal data of nobody
 */
export function assertFits(extensions: readonly Extension[], shop: ShopParts, scopes: readonly string[]): void {
  for (const { name, module } of extensions) {
    if (!isExtension({ name, module }))
      throw new ExtensionError(
        `The extension ${name} needs a name in kebab-case, and as its module import.meta.url, not ${module}.`,
      )
    if (module === pathToFileURL(process.argv[1] ?? '').href) {
      throw new ExtensionError(
        `The extension ${name} is exported by the file that is run. Put it into a file of its own: threads load it, too.`,
      )
    }
  }
  for (const each of shop.commands) assertPersonIsNamed(each)
  const projections = projectionsOf(shop).map(({ name }) => name)
  const named = {
    extensions: extensions.map(({ name }) => name),
    aggregates: shop.aggregates.map(({ events }) => events.category),
    events: shop.aggregates.flatMap(({ events }) => [...events.byType.keys()]),
    projections,
    'payment gateways': shop.gateways.map(({ name }) => name),
    'process managers': shop.processes.map(({ name }) => name),
    jobs: shop.jobs.map(({ name }) => name),
  }
  for (const [what, names] of Object.entries(named)) assertUnique(what, names)
  const asked = [...shop.commands, ...shop.queries]
  for (const { name, from } of shop.queries) {
    if (!projections.includes(from))
      throw new ExtensionError(
        `The query ${name} reads the projection ${from}, which is not there. Add it to \`projections\`.`,
      )
  }
  for (const { name, path, who } of asked) {
    if (!path.startsWith('/v1/')) throw new ExtensionError(`${name} has the path ${path}. Let it begin with /v1/.`)
    if ('scope' in who && !scopes.includes(who.scope)) {
      throw new ExtensionError(
        `${name} asks for the scope ${who.scope}, which no API key can have. There are: ${scopes.join(', ')}.`,
      )
    }
  }
}
