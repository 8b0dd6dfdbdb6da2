import type { z } from 'zod'
import { memoryKeyVault } from '../adapters/memory/key-vault.ts'
import { memoryReadStore } from '../adapters/memory/read-store.ts'
import { anonymous, mayAsk, mayTouch, type Principal } from '../engine/access.ts'
import type { EventDefinitions, Recorded } from '../engine/events.ts'
import { pathParameters } from '../engine/path-template.ts'
import { type PersonalData, personalData } from '../engine/personal-data.ts'
import { type Projection, specOf } from '../engine/projection.ts'
import { project } from '../engine/projector.ts'
import { readerOf } from '../engine/query.ts'
import type { QueryDefinition } from '../engine/query-definition.ts'
import type { Document, Generation } from '../engine/read-store.ts'
import { streamName } from '../engine/streams.ts'
import { assertEqual } from './difference.ts'
import { type Circumstances, type Happening, inLog, minutesLater } from './recording.ts'
import { definitionOf, valid } from './sealing.ts'

/** Tests of read models: `readModel(projection).given(...events).expect(documents)`, and what queries then answer. */

type SchemaOf<S> = S extends { readonly schema: infer Inner } ? Inner : S

/**
 * The events of one aggregate: `const teapot = happenings(productEvents, 'teapot')`, then `teapot('ProductPublished', {})`.
 * @param id of the aggregate
 * @param usual circumstances of all of them
 */
export function happenings<S extends EventDefinitions['schemas']>(
  definitions: EventDefinitions<S>,
  id: string,
  usual?: Circumstances,
): <Type extends keyof S & string>(
  type: Type,
  data: z.input<SchemaOf<S[Type]>>,
  circumstances?: Circumstances,
) => Happening
export function happenings(definitions: EventDefinitions, id: string, usual: Circumstances = {}) {
  return (type: string, data: Document, circumstances: Circumstances = {}): Happening => ({
    definitions,
    id,
    type,
    data,
    circumstances: { ...usual, ...circumstances },
  })
}

const dayLater = minutesLater(24 * 60)
const logId = 'log-1'

/** By collection, then by id; personal values in the clear. */
type Documents = Readonly<Record<string, Readonly<Record<string, unknown>>>>

interface AskOptions {
  readonly principal?: Principal
  /** ISO 8601; a day after `firstInstant` by default. */
  readonly now?: string
  /** Persons whose keys are deleted before. */
  readonly forgotten?: readonly string[]
}

/** Staff with these scopes. */
export function asStaff(...scopes: readonly string[]): Principal {
  return { kind: 'staff', id: 'key-1', scopes: new Set(scopes) }
}

/** A customer with an account. */
export function asCustomer(id: string): Principal {
  return { kind: 'customer', id, scopes: new Set() }
}

/** The grammar of a read model's tests: `given(...events).expect(documents)`, and `ask` for what the API answers. */
export function readModel(projection: Projection) {
  return {
    /** What it makes of events, in the order of the log. */
    given: (...happened: readonly Happening[]) => readModelOf(projection, happened),
  }
}

function readModelOf(projection: Projection, happened: readonly Happening[]) {
  const vault = memoryKeyVault()
  const personal = personalData(vault)
  const recorded = record(personal, happened)
  let live: Promise<Generation> | undefined

  /** All documents; the same however the events are delivered, and however often. */
  async function documents(): Promise<Documents> {
    const events = await recorded
    const once = await allDocuments(personal, projection, await fold(projection, [events]))
    const singly = events.map((event) => [event])
    assertEqual(await allDocuments(personal, projection, await fold(projection, singly)), once, 'folded one at a time')
    const again = [events.slice(0, events.length / 2), events, ...singly]
    assertEqual(await allDocuments(personal, projection, await fold(projection, again)), once, 'folded more than once')
    return once
  }

  return {
    documents,

    /** Compares all documents of the collections that are named, by their ids. */
    async expect(expected: Documents): Promise<void> {
      const made = await documents()
      for (const [name, bodies] of Object.entries(expected)) assertEqual(made[name], bodies, name)
    },

    /**
     * What the API answers to a query; undefined where it answers that there is no such thing.
     * @param parameters as in a URL: text
     * @throws Error for somebody who may not ask; ZodError for parameters or an answer that their schemas refuse
     */
    async ask(query: QueryDefinition, parameters: Readonly<Record<string, string>> = {}, options: AskOptions = {}) {
      const { principal = anonymous, now = dayLater, forgotten = [] } = options
      const verdict = mayAsk(query.who, principal)
      if (verdict !== 'allowed') throw new Error(verdict)
      live ??= recorded.then((events) => fold(projection, [events]))
      const generation = await live
      for (const person of forgotten) await vault.forget(person)
      const asked = { parameters: query.parameters.parse(parameters), principal, reader: readerOf(generation), now }
      const answer = await query.run(asked)
      if (answer === undefined) return undefined
      const [id = ''] = pathParameters(query.path)
      if (mayTouch(query.who, principal, answer, parameters[id] ?? '') !== 'allowed') return undefined
      const [opened] = await personal.open(query.result, [answer])
      return query.result.parse(opened)
    },
  }
}

/** Events as a log would hold them: numbered, timed, and personal values sealed. */
async function record(personal: PersonalData, happened: readonly Happening[]): Promise<readonly Recorded[]> {
  const revisions = new Map<string, number>()
  const recorded: Recorded[] = []
  for (const [index, happening] of happened.entries()) {
    const { definitions, id, type, circumstances } = happening
    const stream = streamName(definitions.category, id)
    const revision = revisions.get(stream) ?? 0
    revisions.set(stream, revision + 1)
    const { schema } = definitionOf(definitions, type)
    const clear = valid(schema, happening.data, type)
    const data = await personal.seal(schema, clear, () => circumstances.person ?? id)
    recorded.push(inLog({ ...happening, data }, index, revision))
  }
  return recorded
}

/** An index beside those of the projection, by which a test sees every document. */
const everyDocument = 'every document'

async function fold(projection: Projection, batches: readonly (readonly Recorded[])[]): Promise<Generation> {
  const spec = specOf(projection)
  const collections = spec.collections.map((each) => ({ ...each, indexes: { ...each.indexes, [everyDocument]: [] } }))
  const generation = await memoryReadStore().createGeneration({ ...spec, collections })
  for (const batch of batches) {
    const last = batch.at(-1)
    if (last) await project(projection, generation, batch, { logId, position: last.position, eventId: last.id })
  }
  return generation
}

async function allDocuments(
  personal: PersonalData,
  { collections }: Projection,
  generation: Generation,
): Promise<Documents> {
  const entries = collections.map(async ({ name, schema }) => {
    const found = await generation.find({ collection: name, index: everyDocument, limit: 1_000_000 })
    const opened = await personal.open(
      schema,
      found.map(({ body }) => body),
    )
    for (const body of opened)
      assertEqual(body, valid(schema, body, `A document of ${name}`), `${name} as their schema has them`)
    return [name, Object.fromEntries(found.map(({ id }, index) => [id, opened[index]]))] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}
