import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { z } from 'zod'
import type { KeyVault } from './key-vault.ts'
import { unwrapped } from './schema-wrappers.ts'

declare const sealedValue: unique symbol

/**
 * A personal value as everything behind the API sees it: encrypted with the person's key, opaque, equal for equal
 * values of one person. Null where the person had already been forgotten.
 */
export type Sealed<T> = (string & { readonly [sealedValue]: T }) | null

type Path = readonly string[]

/** A registry rather than a set: a schema that is described further is a copy, and inherits what is registered. */
const personalSchemas = z.registry<{ readonly isPersonal: true }>()
const everyElement = '*'

/**
 * Marks a value in a schema as personal data. It is parsed as the inner schema says, and is sealed before anything
 * else sees it; queries open it again for those who may read it, as null once the person is forgotten.
 * @param schema what the value is in the clear
 */
export function personal<S extends z.ZodType>(schema: S): z.ZodType<Sealed<z.output<S>>> {
  const marked = schema.nullable().meta({ ...schema.meta(), id: undefined })
  personalSchemas.add(marked, { isPersonal: true })
  // The one place where the clear and the sealed type of a value meet: parsing yields the clear one, `seal` follows at once.
  return marked as unknown as z.ZodType<Sealed<z.output<S>>>
}

/** Where a schema has personal values: paths of field names, `*` for each element of an array or record. */
export function personalPaths(schema: z.core.$ZodType): readonly Path[] {
  if (personalSchemas.get(schema)) return [[]]
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([name, inner]) => personalPaths(inner).map((path) => [name, ...path]))
  }
  if (schema instanceof z.ZodArray) return personalPaths(schema.element).map((path) => [everyElement, ...path])
  if (schema instanceof z.ZodRecord) return personalPaths(schema.valueType).map((path) => [everyElement, ...path])
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(personalPaths)
  const inner = unwrapped(schema)
  return inner === undefined ? [] : personalPaths(inner)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Replaces what stands at the paths; shares with the given value what does not change. */
function replaceAt(value: unknown, path: Path, replace: (found: unknown) => unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return value === undefined || value === null ? value : replace(value)
  if (!isRecord(value)) return value
  if (name === everyElement) {
    if (Array.isArray(value)) return value.map((element) => replaceAt(element, rest, replace))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replaceAt(inner, rest, replace)]))
  }
  if (!(name in value)) return value
  return { ...value, [name]: replaceAt(value[name], rest, replace) }
}

const knownPaths = new WeakMap<z.core.$ZodType, readonly Path[]>()

/**
 * Replaces the personal values in something of a schema; what is absent or null stays so.
 * @param replace gets each value and gives what stands in its place
 * @returns the value itself where the schema has nothing personal
 */
export function replacePersonal(
  schema: z.core.$ZodType,
  value: unknown,
  replace: (found: unknown) => unknown,
): unknown {
  const paths = knownPaths.get(schema) ?? personalPaths(schema)
  knownPaths.set(schema, paths)
  return paths.reduce((result, path) => replaceAt(result, path, replace), value)
}

const algorithm = 'aes-256-gcm'
const ivBytes = 12
const tagBytes = 16
const prefix = 'sealed1'

/** What a person's key is derived into: one key for each use, for what encrypts must not also authenticate (RFC 5297, AES-SIV). */
interface PersonKeys {
  readonly encryption: Buffer
  readonly initialisation: Buffer
}

function personKeys(key: Uint8Array): PersonKeys {
  const keyFor = (use: keyof PersonKeys) => createHmac('sha256', key).update(use).digest()
  return { encryption: keyFor('encryption'), initialisation: keyFor('initialisation') }
}

/** The initialisation vector is derived from the content, as in AES-SIV (RFC 5297), so that equal values stay equal. */
function encrypt(person: string, keys: PersonKeys, value: unknown): string {
  const clear = Buffer.from(JSON.stringify(value))
  const iv = createHmac('sha256', keys.initialisation).update(clear).digest().subarray(0, ivBytes)
  const cipher = createCipheriv(algorithm, keys.encryption, iv).setAAD(Buffer.from(person))
  const bytes = Buffer.concat([iv, cipher.update(clear), cipher.final(), cipher.getAuthTag()])
  return `${prefix}.${bytes.toString('base64url')}.${person}`
}

function parts(sealed: string): { person: string; bytes: Buffer } | undefined {
  const [name, encoded, ...person] = sealed.split('.')
  if (name !== prefix || encoded === undefined) return undefined
  return { person: person.join('.'), bytes: Buffer.from(encoded, 'base64url') }
}

function decrypt(sealed: string, keysOf: ReadonlyMap<string, PersonKeys>): unknown {
  const found = parts(sealed)
  const keys = found && keysOf.get(found.person)
  if (found === undefined || keys === undefined) return null
  const decipher = createDecipheriv(algorithm, keys.encryption, found.bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(found.person))
    .setAuthTag(found.bytes.subarray(-tagBytes))
  const clear = Buffer.concat([decipher.update(found.bytes.subarray(ivBytes, -tagBytes)), decipher.final()])
  return JSON.parse(clear.toString())
}

/** @returns undefined for what is no sealed value */
function personOf(value: unknown): string | undefined {
  const found = typeof value === 'string' ? parts(value) : undefined
  return found !== undefined && found.bytes.length > ivBytes + tagBytes && found.person !== ''
    ? found.person
    : undefined
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

/**
 * The persons whose sealed values are in something.
 * @param schema says where it has such; without it, whatever looks like one counts
 */
export function sealedFor(value: unknown, schema?: z.core.$ZodType): readonly string[] {
  const found: unknown[] = schema ? [] : [...stringsIn(value)]
  if (schema) replacePersonal(schema, value, (each) => found.push(each))
  return found.flatMap((each) => personOf(each) ?? [])
}

export interface PersonalData {
  /**
   * Seals all personal values in something that was parsed by a schema.
   * @param person whose data it is; asked for only if there is any
   */
  seal<T>(schema: z.core.$ZodType, value: T, person: () => string): Promise<T>
  /** Opens all personal values of documents of a schema; those of forgotten persons become null. */
  open(schema: z.core.$ZodType, documents: readonly unknown[]): Promise<readonly unknown[]>
}

/**
 * Seals and opens personal data with the keys of a vault (AES-256-GCM).
 * @param vault where each person's key is kept, and deleted when the person is forgotten
 */
export function personalData(vault: Pick<KeyVault, 'keyFor' | 'keys'>): PersonalData {
  return {
    async seal<T>(schema: z.core.$ZodType, value: T, person: () => string): Promise<T> {
      let isAny = false
      replacePersonal(schema, value, (found) => {
        isAny = true
        return found
      })
      if (!isAny) return value
      const id = person()
      const key = await vault.keyFor(id)
      const keys = key && personKeys(key)
      const replace = (found: unknown) => (keys === undefined ? null : encrypt(id, keys, found))
      // Sealing keeps the shape; only values that the schema types as sealed are replaced.
      return replacePersonal(schema, value, replace) as T
    },

    async open(schema, documents) {
      const persons = new Set<string>()
      const note = (found: unknown) => {
        const person = typeof found === 'string' ? parts(found)?.person : undefined
        if (person !== undefined) persons.add(person)
        return found
      }
      for (const document of documents) replacePersonal(schema, document, note)
      const found = await vault.keys([...persons])
      const keys = new Map(Array.from(found, ([person, key]) => [person, personKeys(key)]))
      const replace = (sealed: unknown) => (typeof sealed === 'string' ? decrypt(sealed, keys) : null)
      return documents.map((document) => replacePersonal(schema, document, replace))
    },
  }
}
