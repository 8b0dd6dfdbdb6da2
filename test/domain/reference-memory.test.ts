import { expect, test } from 'vitest'
import {
  loadReferences,
  noReferences,
  type ReferenceMemory,
  recall,
  remember,
  saveReferences,
} from '../../src/domain/reference-memory.ts'

const count = 5_000
const full = Array.from({ length: count }, (_, number) => number).reduce<ReferenceMemory>(
  (memory, number) => remember(memory, `DN-${number}`, `${number}`),
  noReferences(),
)
const kindsOf = (memory: ReferenceMemory, from: number, to: number) =>
  new Set(Array.from({ length: to - from }, (_, number) => recall(memory, `DN-${from + number}`).kind))

test.each([
  ['as it is', full],
  ['after it was saved', loadReferences(JSON.parse(JSON.stringify(saveReferences(full))))],
])('the newest are known, every older one is known to be forgotten, and others are new: %s', (_, memory) => {
  expect(kindsOf(memory, 0, count - 1_000)).toStrictEqual(new Set(['forgotten']))
  expect(kindsOf(memory, count - 1_000, count)).toStrictEqual(new Set(['known']))
  expect(recall(memory, `DN-${count - 1}`)).toStrictEqual({ kind: 'known', content: `${count - 1}` })
  expect(kindsOf(memory, count, 10 * count)).toStrictEqual(new Set(['new']))
})
