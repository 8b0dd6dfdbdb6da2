import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import type {
  Document,
  Find,
  FoundDocument,
  Generation,
  IndexValue,
  ProjectionSpec,
} from '../../src/engine/read-store.ts'
import { type Model, modelFind } from '../read-store-model.ts'
import { at, put } from '../read-store-orders.ts'
import type { ReadStoreHarness } from './read-store-harness.ts'

/** What every read store must find by an index, compared with a model that looks at every document. */

const itemIndexes: Readonly<Record<string, readonly string[]>> = {
  byId: [],
  byName: ['name'],
  byPrice: ['price'],
  byActive: ['active'],
  byKindPrice: ['kind', 'price'],
  byNameActive: ['name', 'active'],
  byActiveKindPrice: ['active', 'kind', 'price'],
}

const itemsSpec: ProjectionSpec = {
  name: 'items',
  version: 1,
  collections: [{ name: 'items', indexes: itemIndexes }],
}

/** Strings at the seams: of lengths, of code units and code points, of what might be taken for a number. */
const names = ['', 'a', 'a\u0000', 'aa', 'ab', 'b', 'A', '10', '9', 'é', 'z', '\ud7ff', '\ue000', '\uffff'].concat([
  '\u{10000}',
  '\u{1f6d2}',
  '\u{10ffff}',
  '\u{10ffff}\u{10ffff}',
  '\u{10ffff}a',
  'a\u{10ffff}',
])
const prices = [-(2 ** 53) + 1, -1.5, -1, 0, 0.1, 0.3, 0.1 + 0.2, 1, 10, 2, 2 ** 31, 2 ** 53 - 1, 1e300]
const kinds = ['book', 'game']

/**
 * Defines the tests of `find`.
 * @param harness makes an empty store
 * @param options `runs`: how often the property is tried; fewer for a slow store
 */
export function findContract(harness: () => Promise<ReadStoreHarness>, options: { readonly runs?: number } = {}): void {
  async function itemsOf(documents: Readonly<Record<string, Document>>): Promise<{ items: Generation; model: Model }> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    const items = await made.store.createGeneration(itemsSpec)
    const model: Model = new Map(Object.entries(documents).map(([id, body]) => [id, { position: 1, body }]))
    await items.write(
      Object.entries(documents).map(([id, body]) => put(id, 1, body, 'items')),
      at(1),
    )
    return { items, model }
  }

  describe.each(Object.entries(itemIndexes))('the index %s', (index, fields) => {
    test.each(['ascending', 'descending'] as const)('is paged through, %s', async (direction) => {
      const { items, model } = await itemsOf(everyItem())
      const expected = modelFind(model, fields, { collection: 'items', index, direction, limit: 1_000 })
      expect(expected).toHaveLength(model.size)
      for (const limit of [1, 7, 1_000]) {
        expect(await pages(items, { collection: 'items', index, direction, limit })).toEqual(expected)
      }
    })
  })

  test('a page ends before the cursor of the page behind it', async () => {
    const { items } = await itemsOf(everyItem())
    const find = { collection: 'items', index: 'byKindPrice', limit: 5 } as const
    const first = await items.find(find)
    const second = await items.find({ ...find, ...behind(first) })
    const back = await items.find({ ...find, direction: 'descending', after: second[0]?.key ?? [] })
    expect(back.toReversed()).toEqual(first)
  })

  test('a cursor outlives its document', async () => {
    const { items } = await itemsOf({ a: { price: 1 }, b: { price: 1 }, c: { price: 1 }, d: { price: 2 } })
    const [, second] = await items.find({ collection: 'items', index: 'byPrice', limit: 2 })
    await items.write([put('b', 2, undefined, 'items', 1), put('c', 2, { price: 0 }, 'items', 1)], at(2))
    await items.sweep(3)
    const after = second?.key ?? []
    const ids = async (find: Partial<Find>) =>
      (await items.find({ collection: 'items', index: 'byPrice', limit: 9, after, ...find })).map(({ id }) => id)
    expect(await ids({})).toEqual(['d'])
    expect(await ids({ direction: 'descending' })).toEqual(['a', 'c'])
  })

  test('keys hold the values as they were written, null for an absent one', async () => {
    const { items } = await itemsOf({ a: { active: true, price: 1.5 }, b: { active: null, kind: 'book', price: -0 } })
    const found = await items.find({ collection: 'items', index: 'byActiveKindPrice', limit: 9 })
    const keys = [
      [null, 'book', 0, 'b'],
      [true, null, 1.5, 'a'],
    ]
    expect(found.map(({ key }) => key)).toStrictEqual(keys)
    expect(await items.keys({ collection: 'items', index: 'byActiveKindPrice', limit: 9 })).toStrictEqual(keys)
  })

  test('bounds are included, and null is below all', async () => {
    const { items } = await itemsOf({ a: {}, b: { price: -5 }, c: { price: 2 }, d: { price: 2 }, e: { price: 3 } })
    const ids = async (find: Partial<Find>) =>
      (await items.find({ collection: 'items', index: 'byPrice', limit: 9, ...find })).map(({ id }) => id).join('')
    expect(await ids({ from: -5, to: 2 })).toBe('bcd')
    expect(await ids({ from: 2 })).toBe('cde')
    expect(await ids({ to: 2 })).toBe('abcd')
    expect(await ids({ from: null, to: -5 })).toBe('ab')
    expect(await ids({ from: null, to: null })).toBe('a')
    expect(await ids({ equals: [null] })).toBe('a')
    expect(await ids({ equals: [2] })).toBe('cd')
    expect(await ids({ equals: [2], from: 'd' })).toBe('d')
    expect(await ids({ equals: [2, 'c'] })).toBe('c')
    expect(await ids({ from: 3, to: 2 })).toBe('')
    expect(await ids({ direction: 'descending', to: 2, after: [2, 'd'] })).toBe('cba')
  })

  test.each([
    ['', names],
    ['a', ['a', 'a\u0000', 'aa', 'ab', 'a\u{10ffff}']],
    ['\ud7ff', ['\ud7ff']],
    ['\uffff', ['\uffff']],
    ['\u{10ffff}', ['\u{10ffff}', '\u{10ffff}a', '\u{10ffff}\u{10ffff}']],
    ['a\u{10ffff}', ['a\u{10ffff}']],
    ['c', []],
  ])('strings that begin with %j', async (startsWith, expected) => {
    const documents = names.map((name, number) => [`item-${number}`, { name }] as const)
    const { items } = await itemsOf(Object.fromEntries([['none', {}], ...documents]))
    for (const direction of ['ascending', 'descending'] as const) {
      const found = await items.find({ collection: 'items', index: 'byName', startsWith, direction, limit: 99 })
      expect(new Set(found.map(({ body }) => body.name))).toEqual(new Set(expected))
    }
  })

  test.each<[string, Omit<Find, 'collection'>]>([
    ['an index that there is not', { index: 'byColour', limit: 1 }],
    ['more values than fields', { index: 'byName', equals: ['a', 'b', 'c'], limit: 1 }],
    ['bounds where no field is left', { index: 'byName', equals: ['a', 'b'], from: 1, limit: 1 }],
    ['a prefix together with bounds', { index: 'byName', startsWith: 'a', from: 'b', limit: 1 }],
    ['a cursor of another index', { index: 'byName', after: ['book', 1, 'item-1'], limit: 1 }],
    ['a limit that is no number of documents', { index: 'byName', limit: -1 }],
  ])('%s is refused', async (_, find) => {
    const { items } = await itemsOf({})
    await expect(items.find({ collection: 'items', ...find })).rejects.toThrow(RangeError)
  })

  test('whatever is written, a find gives what looking at every document gives', { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const { store, dispose } = await harness()
        try {
          const items = await store.createGeneration(itemsSpec)
          const model: Model = new Map()
          for (const [position, { writes }] of steps.entries()) {
            await applyWrites(items, model, writes, position + 1)
            // What was asked before is asked again: an answer that is kept must not outlive the next write.
            for (const find of steps.slice(Math.max(0, position - 1), position + 1).flatMap(({ finds }) => finds)) {
              const wanted = { collection: 'items', ...find }
              const expected = modelFind(model, itemIndexes[find.index] ?? [], wanted)
              expect(await items.find(wanted)).toEqual(expected)
              expect(await items.keys(wanted)).toEqual(expected.map(({ key }) => key))
            }
            const ids = Array.from(model.keys())
            const read = await items.read(ids.map((id) => ({ collection: 'items', id })))
            expect(read).toEqual(ids.map((id) => ({ id, ...model.get(id) })))
            const live = Array.from(model.values()).filter(({ body }) => body !== undefined)
            expect(await items.count('items')).toBe(live.length)
          }
        } finally {
          await dispose()
        }
      }),
      { numRuns: options.runs ?? 100 },
    )
  })
}

/** Writes whose fence holds or not; the model says which. */
async function applyWrites(
  items: Generation,
  model: Model,
  writes: readonly Change[],
  position: number,
): Promise<void> {
  const distinct = new Map(writes.map((change) => [change.id, change]))
  const missed: { collection: string; id: string }[] = []
  const batch = Array.from(distinct.values(), ({ id, body, stale }) => {
    const found = model.get(id)?.position
    if (stale) missed.push({ collection: 'items', id })
    else model.set(id, { position, body })
    return put(id, position, body, 'items', stale ? (found ?? 0) + 0.5 : found)
  })
  const before = await items.checkpoint()
  expect(await items.write(batch, at(position))).toEqual(missed)
  expect(await items.checkpoint()).toEqual(missed.length === 0 ? at(position) : before)
}

interface Change {
  readonly id: string
  readonly body: Document | undefined
  readonly stale: boolean
}

const id = fc.constantFrom('a', 'b', 'B', 'c', 'é', '\ue000', '\u{1f6d2}', 'item-1', 'item-10', 'item-2')
const name = fc.constantFrom(...names)
const price = fc.oneof(
  fc.constantFrom(...prices),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
)
const kind = fc.constantFrom(...kinds)
const active = fc.boolean()

const body = fc.record(
  { name: orNull(name), price: orNull(price), kind: orNull(kind), active: orNull(active) },
  { requiredKeys: [] },
)
const change: fc.Arbitrary<Change> = fc.record({
  id,
  body: fc.option(body, { nil: undefined, freq: 4 }),
  stale: fc.nat(9).map((number) => number === 0),
})

const valuesOf: Readonly<Record<string, fc.Arbitrary<IndexValue>>> = { name, price, kind, active, id }

/** A find of a random shape over a random index. */
const find: fc.Arbitrary<Omit<Find, 'collection'>> = fc
  .constantFrom(...Object.entries(itemIndexes))
  .chain(([index, fields]) => {
    const following = [...fields, 'id'].map((field) => orNull(valuesOf[field] ?? id))
    return fc.nat(following.length).chain((equal) => {
      const next = following[equal] ?? fc.constant(null)
      const isString = ['name', 'kind', 'id'].includes([...fields, 'id'][equal] ?? '')
      const bounds = equal === following.length ? [] : [fc.record({ from: next, to: next }, { requiredKeys: [] })]
      const prefixes = isString ? [fc.record({ startsWith: name })] : []
      return fc
        .tuple(
          fc.record({ equals: fc.tuple(...following.slice(0, equal)) }),
          fc.oneof(fc.constant({}), ...bounds, ...prefixes),
          fc.record({ after: fc.tuple(...following) }, { requiredKeys: [] }),
          fc.record({ direction: fc.constantFrom('ascending', 'descending') }, { requiredKeys: [] }),
          fc.record({ limit: fc.integer({ min: 0, max: 6 }) }),
        )
        .map(([equals, range, after, direction, limit]) => ({
          index,
          ...equals,
          ...range,
          ...after,
          ...direction,
          ...limit,
        }))
    })
  })

const step = fc.record({
  writes: fc.array(change, { maxLength: 10 }),
  finds: fc.array(find, { minLength: 1, maxLength: 8 }),
})

function orNull<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> {
  return fc.option(value, { nil: null, freq: 5 })
}

/** Items with every name, price and kind, with gaps in each field and many ties. */
function everyItem(): Readonly<Record<string, Document>> {
  const items = Array.from({ length: 120 }, (_, number) => {
    const item = {
      ...(number % 6 !== 0 && { name: names[number % names.length] }),
      ...(number % 5 !== 0 && { price: prices[number % prices.length] }),
      ...(number % 4 !== 0 && { kind: kinds[number % 2] }),
      ...(number % 3 !== 0 && { active: number % 2 === 0 }),
    }
    return [`item-${number}`, item] as const
  })
  return Object.fromEntries(items)
}

async function pages(items: Generation, find: Find): Promise<readonly FoundDocument[]> {
  const all: FoundDocument[] = []
  for (let page = await items.find(find); page.length > 0; page = await items.find({ ...find, ...behind(page) })) {
    expect(page.length).toBeLessThanOrEqual(find.limit)
    all.push(...page)
    if (all.length > 1_000) throw new Error('the pages go round in a circle')
  }
  return all
}

function behind(page: readonly FoundDocument[]): Pick<Find, 'after'> {
  const last = page.at(-1)
  return last === undefined ? {} : { after: last.key }
}
