import { inLanguage } from '../domain/language.ts'
import { compareKeys } from '../engine/index-range.ts'
import type { Collection } from '../engine/projection.ts'
import type { Reader, Step } from '../engine/query.ts'
import type { Document, IndexValue, SortKey } from '../engine/read-store.ts'
import { allProducts, offers, type Summary, summaries, titlePlaces } from './catalogue-listings.ts'
import { priceRange } from './catalogue-products.ts'
import { baseOf, titleKey, type Word, wordId, words, wordsOf } from './catalogue-words.ts'

/** Where the products of a list are found, and in which order. */

export const sorts = ['newest', 'price-ascending', 'price-descending', 'title'] as const
type Sort = (typeof sorts)[number]

export interface Search {
  readonly category?: string
  readonly q?: string
  readonly currency: string
  readonly language: string
  readonly minPrice?: number
  readonly maxPrice?: number
  readonly available?: boolean
  /** If absent, the best matches of `q` come first, or without it the newest products. */
  readonly sort?: Sort
}

/** A product that was found by a text in a language: it counts only if that is the language in which it is shown. */
export interface Hit {
  readonly productId: string
  readonly language?: string
}

interface Found<D> {
  readonly key: SortKey
  readonly body: D
}

/** Finds products step by step, as `findPageStepwise` takes them. */
export interface HitSource {
  readonly direction: Step['direction']
  find(step: Step): Promise<readonly Found<Hit>[]>
}

/** Products that match more than one word, or are sorted otherwise than by how they match, are sought among so many. */
const maxCandidates = 1_000
const maxWords = 8

/** Where to find what is searched for. */
export function hitsOf(reader: Reader, search: Search): HitSource {
  const { category = allProducts, currency, language, minPrice, maxPrice, q, sort } = search
  if (q !== undefined) return matchesOf(reader, search, [...new Set(wordsOf(q))].slice(0, maxWords))

  const direction = directionOf(sort ?? 'newest')
  const equals = [category, currency]
  switch (sort) {
    case 'title': {
      const stretches = inLanguages(reader, category, language)
      return { direction, find: async (step) => findAcross(reader, titlePlaces, await stretches, step) }
    }
    case 'price-ascending':
    case 'price-descending': {
      const range = {
        ...(minPrice !== undefined && { from: minPrice }),
        ...(maxPrice !== undefined && { to: maxPrice }),
      }
      return { direction, find: (step) => reader.find(offers, { index: 'byPrice', equals, ...range, ...step }) }
    }
    default:
      return { direction, find: (step) => reader.find(offers, { index: 'byCreatedAt', equals, ...step }) }
  }
}

function directionOf(sort: Sort): Step['direction'] {
  return sort === 'newest' || sort === 'price-descending' ? 'descending' : 'ascending'
}

interface Stretch {
  readonly index: string
  readonly equals: readonly IndexValue[]
}

/**
 * Where entries are of which some are in the language, and some in that of a product that may have no text in it.
 * @param under what they are filed under: a category or a term
 */
async function inLanguages(reader: Reader, under: string, language: string): Promise<readonly Stretch[]> {
  const base = baseOf(language)
  const others = (await fallbackLanguages(reader)).filter((other) => other !== base)
  return [
    { index: 'byBase', equals: [under, base] },
    ...others.map((other) => ({ index: 'byFallback', equals: [under, other] })),
  ]
}

/** The languages that are shown to those who read none of the others: usually one in the whole shop. */
async function fallbackLanguages(reader: Reader): Promise<readonly string[]> {
  const languages: string[] = []
  for (;;) {
    const last = languages.at(-1)
    const behind = last === undefined ? {} : { from: `${last} ` }
    const [found] = await reader.find(summaries, { index: 'byFallback', ...behind, limit: 1 })
    if (found === undefined) return languages
    languages.push(found.body.fallback)
  }
}

/**
 * Reads stretches of several indexes as one, in the order of what follows their equal fields. A document that is in
 * more than one of them is found once.
 */
async function findAcross<D extends Document>(
  reader: Reader,
  of: Collection<D>,
  stretches: readonly Stretch[],
  { direction, after, limit }: Step,
): Promise<readonly Found<D>[]> {
  const found = await Promise.all(
    stretches.map(async ({ index, equals }) => {
      const place = after && { after: [...equals, ...after] }
      const documents = await reader.find(of, { index, equals, direction, limit, ...place })
      return documents.map(({ key, body }) => ({ key: key.slice(equals.length), body }))
    }),
  )
  return inOrder(found.flat(), direction)
    .filter(({ key }, place, all) => compareKeys(key, all[place - 1]?.key ?? [null]) !== 0)
    .slice(0, limit)
}

function inOrder<D>(found: readonly Found<D>[], direction: Step['direction']): readonly Found<D>[] {
  const sign = direction === 'ascending' ? 1 : -1
  return found.toSorted((left, right) => sign * compareKeys(left.key, right.key))
}

/** Products that match all words, the last of which may be the beginning of one. */
function matchesOf(reader: Reader, search: Search, wanted: readonly string[]): HitSource {
  const [word = ''] = wanted
  if (wanted.length <= 1 && search.sort === undefined) {
    const stretches = inLanguages(reader, word, search.language)
    return { direction: 'ascending', find: async (step) => findAcross(reader, words, await stretches, step) }
  }
  const direction = search.sort === undefined ? 'ascending' : directionOf(search.sort)
  let candidates: Promise<readonly Found<Hit>[]> | undefined
  return {
    direction,
    async find({ direction: way, after, limit }) {
      candidates ??= candidatesOf(reader, search, wanted)
      const sign = way === 'ascending' ? 1 : -1
      return inOrder(await candidates, way)
        .filter(({ key }) => after === undefined || sign * compareKeys(key, after) > 0)
        .slice(0, limit)
    },
  }
}

/** The best matches of the longest word, which are usually the fewest, as far as they match the other words too. */
async function candidatesOf(reader: Reader, search: Search, wanted: readonly string[]): Promise<readonly Found<Hit>[]> {
  const last = wanted.at(-1)
  const [longest = '', ...others] = wanted.toSorted((left, right) => right.length - left.length)
  const step = { direction: 'ascending', limit: maxCandidates } as const
  const found = await findAcross(reader, words, await inLanguages(reader, longest, search.language), step)
  const ids = found.flatMap(({ body }) => others.map((term) => wordId({ ...body, term })))
  const further = await reader.get(words, ids)
  const rankOf = (word: Word | undefined) => (word?.term === last ? word?.rank : word?.wholeRank) ?? undefined

  const matches = found.flatMap(({ body }, place) => {
    const each = [body, ...further.slice(place * others.length, (place + 1) * others.length)]
    const ranks = each.map(rankOf)
    if (ranks.includes(undefined)) return []
    return [{ hit: body, rank: ranks.reduce<number>((sum, rank) => sum + (rank ?? 0), 0) }]
  })
  const { sort } = search
  if (sort === undefined) return matches.map(({ hit, rank }) => ({ key: keyOf(rank, hit), body: hit }))

  const shown = await reader.get(
    summaries,
    matches.map(({ hit }) => hit.productId),
  )
  return matches.flatMap(({ hit }, place) => {
    const summary = shown[place]
    return summary ? [{ key: keyOf(sortValue(summary, sort, search), hit), body: hit }] : []
  })
}

function keyOf(value: IndexValue, { productId, language = '' }: Hit): SortKey {
  return [value, `${productId} ${language}`]
}

function sortValue(summary: Summary, sort: Sort, { currency, language }: Search): IndexValue {
  if (sort === 'newest') return summary.createdAt
  if (sort === 'title') return titleKey(inLanguage(summary.titles, language) ?? '')
  return priceRange(summary.variants, currency)?.from ?? null
}
