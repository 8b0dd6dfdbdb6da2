import { expect, test } from 'vitest'
import { memoryReadStore } from '../../src/adapters/memory/read-store.ts'
import { specOf } from '../../src/engine/projection.ts'
import { type Reader, readerOf } from '../../src/engine/query.ts'
import { catalogue } from '../../src/projections/catalogue.ts'
import { summaries } from '../../src/projections/catalogue-listings.ts'
import { matchesOf } from '../../src/projections/catalogue-matches.ts'
import { noWholeRank, textName, wordId, words } from '../../src/projections/catalogue-words.ts'
import { at, put } from '../read-store-orders.ts'

/** More texts than are read of one word. */
const many = 2_100
const productIds = Array.from({ length: many }, (_, number) => `p${String(number).padStart(4, '0')}`)
/** Behind all that is read of a word that every text has. */
const [nextToLast = '', last = ''] = productIds.slice(-2)

function word(productId: string, term: string, rank: number, wholeRank = rank) {
  const body = { productId, language: 'en', base: 'en', fallback: 'en', term, rank, wholeRank }
  return put(wordId(textName(productId, 'en'), term), 1, body, words.name)
}

/** A catalogue in which every text has the words `every` and `each`, and the last ones others too. */
async function largeCatalogue(): Promise<Reader> {
  const generation = await memoryReadStore().createGeneration(specOf(catalogue))
  await generation.write(
    [
      put('any', 1, { fallback: 'en' }, summaries.name),
      ...productIds.flatMap((id) => [word(id, 'every', 0), word(id, 'each', 2)]),
      word(nextToLast, 'rare', 4),
      word(last, 'rare', 0),
      word(last, 'rar', 1, noWholeRank),
    ],
    at(1),
  )
  return readerOf(generation)
}

async function found(reader: Reader, q: string, limit = 10): Promise<readonly string[]> {
  const source = matchesOf(reader, { q, currency: 'EUR', language: 'en' }, q)
  return (await source.find({ direction: 'ascending', limit })).map(({ body }) => body.productId)
}

test('a rare word finds all that has it, however many texts have the others', async () => {
  const reader = await largeCatalogue()
  expect(await found(reader, 'every rare')).toEqual([last, nextToLast])
  expect(await found(reader, 'rare each every')).toEqual([last, nextToLast])
  expect(await found(reader, 'every rar')).toEqual([last])
  expect(await found(reader, 'rar every')).toEqual([])
})

test('where all words are common, the best matches of the longest are considered', async () => {
  const reader = await largeCatalogue()
  expect(await found(reader, 'every each')).toEqual(productIds.slice(0, 10))
  expect(await found(reader, 'each every', many)).toEqual(productIds.slice(0, 2_000))
})
