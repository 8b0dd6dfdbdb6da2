import { compareKeys } from '../engine/index-range.ts'
import type { Collection } from '../engine/projection.ts'
import type { Reader, Step } from '../engine/query.ts'
import type { Find, IndexValue, SortKey } from '../engine/read-store.ts'
import { allProducts, offers, placeOf, summaries, titlePlaces } from './catalogue-listings.ts'
import { baseOf } from './catalogue-words.ts'

/** Where the products of a list are found, and in which order. */

export const sorts = ['newest', 'price-ascending', 'price-descending', 'title'] as const
export type Sort = (typeof sorts)[number]

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

export interface Found {
  readonly key: SortKey
  readonly body: Hit
}

/** Finds products step by step, as `findPageStepwise` takes them. */
export interface HitSource {
  readonly direction: Step['direction']
  find(step: Step): Promise<readonly Found[]>
}

/** Where to find what a list without a search shows: all of it stands in the keys of an index. */
export function listingOf(reader: Reader, search: Search): HitSource {
  const { category = allProducts, currency, language, minPrice, maxPrice, sort = 'newest' } = search
  const direction = directionOf(sort)
  if (sort === 'title') {
    return {
      direction,
      find: async (step) => {
        const stretches = inLanguages(category, language, await fallbackLanguages(reader))
        const keys = await keysAcross(reader, titlePlaces, stretches, step)
        return keys.map((key) => {
          const { productId, currencyOrLanguage } = placeOf(idOf(key))
          return { key, body: { productId, language: currencyOrLanguage } }
        })
      },
    }
  }
  const isByPrice = sort !== 'newest'
  const find = {
    index: isByPrice ? 'byPrice' : 'byCreatedAt',
    equals: [category, currency],
    ...(isByPrice && minPrice !== undefined && { from: minPrice }),
    ...(isByPrice && maxPrice !== undefined && { to: maxPrice }),
  }
  return {
    direction,
    find: async (step) => {
      const keys = await reader.keys(offers, { ...find, ...step })
      return keys.map((key) => ({ key, body: { productId: placeOf(idOf(key)).productId } }))
    },
  }
}

export function directionOf(sort: Sort): Step['direction'] {
  return sort === 'newest' || sort === 'price-descending' ? 'descending' : 'ascending'
}

/** The id of a document. @param key of it in any index */
export function idOf(key: SortKey): string {
  return String(key.at(-1))
}

/** A part of an index. */
export type Stretch = Required<Pick<Find, 'index' | 'equals'>>

/**
 * Where entries are of which some are in the language, and some in that of a product that may have no text in it.
 * @param under what they are filed under: a category or a term
 * @param fallbacks as `fallbackLanguages` finds them
 */
export function inLanguages(under: string, language: string, fallbacks: readonly string[]): readonly Stretch[] {
  const base = baseOf(language)
  const others = fallbacks.filter((other) => other !== base)
  return [
    { index: 'byBase', equals: [under, base] },
    ...others.map((other) => ({ index: 'byFallback', equals: [under, other] })),
  ]
}

/** The languages that are shown to those who read none of the others: usually one in the whole shop. */
export async function fallbackLanguages(reader: Reader): Promise<readonly string[]> {
  const languages: string[] = []
  for (;;) {
    const last = languages.at(-1)
    const behind = last === undefined ? {} : { from: `${last} ` }
    const [found] = await reader.keys(summaries, { index: 'byFallback', ...behind, limit: 1 })
    if (found === undefined) return languages
    languages.push(String(found[0]))
  }
}

/**
 * Reads stretches of several indexes as one: keys without their equal fields, in order. What is in more than one
 * stretch is found once.
 */
export async function keysAcross(
  reader: Reader,
  of: Collection,
  stretches: readonly Stretch[],
  { direction, after, limit }: Step,
): Promise<readonly SortKey[]> {
  const found = await Promise.all(
    stretches.map(async ({ index, equals }) => {
      const place = after && { after: [...equals, ...after] }
      const keys = await reader.keys(of, { index, equals, direction, limit, ...place })
      return keys.map((key) => key.slice(equals.length))
    }),
  )
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  const sign = direction === 'ascending' ? 1 : -1
  return found
    .flat()
    .sort((left, right) => sign * compareKeys(left, right))
    .filter((key, place, all) => compareKeys(key, all[place - 1] ?? nowhere) !== 0)
    .slice(0, limit)
}

const nowhere: readonly IndexValue[] = [null]
