import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { shapeOf } from '../../src/api/result-shape.ts'

const Leaf = z.object({ a: z.number(), b: z.string().optional() })

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}
const Tree: z.ZodType<Tree> = z.lazy(() => z.object({ name: z.string(), children: z.array(Tree) }))

test.each([
  ['an object', Leaf, { a: 1, extra: 1 }, { a: 1 }],
  ['a list', z.array(Leaf), [{ a: 1, extra: 1 }], [{ a: 1 }]],
  ['a record', z.record(z.string(), Leaf), { x: { a: 1, extra: 1 } }, { x: { a: 1 } }],
  ['what may be null', z.object({ leaf: Leaf.nullable() }), { leaf: null }, { leaf: null }],
  [
    'a union',
    z.union([z.object({ k: z.literal(1), a: z.string() }), z.object({ k: z.literal(2) })]),
    { k: 2, a: 'x' },
    { k: 2 },
  ],
  [
    'an open object',
    z.looseObject({ leaf: Leaf }),
    { other: 1, leaf: { a: 1, extra: 1 } },
    { other: 1, leaf: { a: 1 } },
  ],
  [
    'a tree',
    Tree,
    { name: 'x', children: [{ name: 'y', extra: 1, children: [] }] },
    { name: 'x', children: [{ name: 'y', children: [] }] },
  ],
])('Of %s, what the schema does not declare is left out', (_name, schema, value, kept) => {
  expect(shapeOf(schema)?.(value)).toEqual(kept)
})

test('Where there is nothing to leave out, nothing is done', () => {
  for (const schema of [
    z.string(),
    z.array(z.int()),
    z.record(z.string(), z.boolean()),
    z.union([z.int(), z.null()]),
  ]) {
    expect(shapeOf(schema)).toBeUndefined()
  }
})

test('What is declared stays as it is, as zod would leave it', () => {
  const schema = z.object({
    leaves: z.array(Leaf),
    by: z.record(z.string(), Leaf),
    one: Leaf.optional(),
    at: z.int().nullable(),
  })
  const extra = fc.dictionary(fc.constantFrom('extra', 'more'), fc.integer())
  const leaf = fc
    .tuple(fc.record({ a: fc.integer(), b: fc.string() }, { requiredKeys: ['a'] }), extra)
    .map((parts) => Object.assign({}, ...parts))
  const value = fc.record(
    {
      leaves: fc.array(leaf),
      by: fc.dictionary(fc.constantFrom('x', 'y'), leaf),
      one: leaf,
      at: fc.option(fc.integer()),
    },
    { requiredKeys: ['leaves', 'by', 'at'] },
  )
  const keepsTheSame = fc.property(value, (sent) => {
    expect(shapeOf(schema)?.(sent)).toEqual(schema.parse(sent))
  })
  fc.assert(keepsTheSame)
})
