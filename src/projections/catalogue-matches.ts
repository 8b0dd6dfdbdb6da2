import { compareKeys } from '../engine/index-range.ts'
import type { Reader, Step } from '../engine/query.ts'
import type { SortKey } from '../engine/read-store.ts'
import { allProducts, offers, placeId, titlePlaces } from './catalogue-listings.ts'
import {
  directionOf,
  type Found,
  fallbackLanguages,
  type HitSource,
  idOf,
  inLanguages,
  keysAcross,
  type Search,
  type Sort,
  type Stretch,
} from './catalogue-search.ts'
import { noWholeRank, textName, textNamed, textOfWord, wordId, words, wordsOf } from './catalogue-words.ts'

/** Which products match the words of a search, and in which order. */

/** A word of more texts than this is not read to its end. */
const maxPostings = 2_000
const maxWords = 8

/** Products that match all words of `q`, the last of which may be the beginning of one. */
export function matchesOf(reader: Reader, search: Search, q: string): HitSource {
  const wanted = [...new Set(wordsOf(q))].slice(0, maxWords)
  const { sort, language } = search
  if (sort === undefined && wanted.length <= 1) {
    const [word = ''] = wanted
    return {
      direction: 'ascending',
      find: async (step) => {
        const stretches = inLanguages(word, language, await fallbackLanguages(reader))
        const keys = await keysAcross(reader, words, stretches, step)
        return keys.map((key) => ({ key, body: textNamed(textOfWord(idOf(key), word)) }))
      },
    }
  }
  let matches: Promise<readonly Found[]> | undefined
  return {
    direction: sort === undefined ? 'ascending' : directionOf(sort),
    async find(step) {
      matches ??= inBoth(reader, search, wanted).then((texts) =>
        sort === undefined ? byRank(texts) : sorted(reader, search, sort, texts),
      )
      return firstOf(await matches, step)
    },
  }
}

/** By the name of a text how good a place a word has there: the keys of an index, whose fields are those of `byBase`. */
type Postings = ReadonlyMap<string, SortKey>

/** Keys that are read again while nothing has changed are the same array: what was made of them is still good. */
const made = new WeakMap<readonly SortKey[], Postings>()

function postingsOf(keys: readonly SortKey[], term: string): Postings {
  const known = made.get(keys)
  if (known !== undefined) return known
  const postings = new Map(keys.map((key) => [textOfWord(idOf(key), term), key]))
  made.set(keys, postings)
  return postings
}

/** The texts that have a word, the best places first. */
interface WordTexts {
  readonly term: string
  readonly postings: Postings
  /** False where there are more of them than were read. */
  readonly isComplete: boolean
}

async function textsOf(reader: Reader, term: string, stretches: readonly Stretch[]): Promise<WordTexts> {
  const read = await Promise.all(
    stretches.map((stretch) => reader.keys(words, { ...stretch, direction: 'ascending', limit: maxPostings })),
  )
  const isComplete = read.every((keys) => keys.length < maxPostings)
  const [first = new Map(), ...others] = read.map((keys) => postingsOf(keys, term))
  const postings = others.length === 0 ? first : new Map([first, ...others].flatMap((each) => [...each]))
  return { term, postings, isComplete }
}

/** By the name of a text the sum of the ranks of all words in it. */
type Texts = ReadonlyMap<string, number>

/**
 * The texts that have all words: sought among those of the word that fewest have, or, where more have each than are
 * read, among the best of the longest word.
 */
async function inBoth(reader: Reader, { language }: Search, wanted: readonly string[]): Promise<Texts> {
  const fallbacks = await fallbackLanguages(reader)
  const all = await Promise.all(wanted.map((term) => textsOf(reader, term, inLanguages(term, language, fallbacks))))
  const complete = all.filter(({ isComplete }) => isComplete)
  const [sought] =
    complete.length > 0
      ? complete.toSorted((left, right) => left.postings.size - right.postings.size)
      : all.toSorted((left, right) => right.term.length - left.term.length)
  if (sought === undefined) return new Map()
  const last = wanted.at(-1)
  let texts: Texts = new Map(Array.from(sought.postings.keys(), (name) => [name, 0]))
  for (const word of all) texts = await withRanks(reader, word, texts, word.term === last)
  return texts
}

/** Those of the texts that have a word too. @param orBeginning whether the word may be the beginning of one */
async function withRanks(reader: Reader, word: WordTexts, texts: Texts, orBeginning: boolean): Promise<Texts> {
  const { term, postings, isComplete } = word
  const unread = isComplete ? [] : [...texts.keys()].filter((name) => !postings.has(name))
  const read = await reader.get(
    words,
    unread.map((name) => wordId(name, term)),
  )
  const more = new Map(read.flatMap((each, place) => (each ? [[unread[place] ?? '', each] as const] : [])))
  const having = new Map<string, number>()
  for (const [name, sum] of texts) {
    const key = postings.get(name)
    const rest = key === undefined ? more.get(name) : undefined
    const rank = rest ? (orBeginning ? rest.rank : rest.wholeRank) : key?.[orBeginning ? 2 : 3]
    if (typeof rank !== 'number' || (!orBeginning && rank === noWholeRank)) continue
    having.set(name, sum + rank)
  }
  return having
}

function byRank(texts: Texts): readonly Found[] {
  return Array.from(texts, ([name, rank]) => ({ key: [rank, name], body: textNamed(name) }))
}

/** The matches as they stand in a list that is sorted: those that are not in it, for want of a price, are left out. */
async function sorted(reader: Reader, search: Search, sort: Sort, texts: Texts): Promise<readonly Found[]> {
  const { category = allProducts, currency } = search
  const hits = Array.from(texts.keys(), textNamed)
  if (sort === 'title') {
    const ids = hits.map(({ productId, language }) => placeId(productId, category, language))
    const places = await reader.get(titlePlaces, ids)
    return hits.flatMap((body, at) => {
      const title = places[at]?.title
      return title === undefined ? [] : [{ key: [title, ids[at] ?? ''], body }]
    })
  }
  const places = await reader.get(
    offers,
    hits.map(({ productId }) => placeId(productId, category, currency)),
  )
  return hits.flatMap((body, at) => {
    const value = places[at]?.[sort === 'newest' ? 'createdAt' : 'price']
    return value === undefined ? [] : [{ key: [value, textName(body.productId, body.language)], body }]
  })
}

/** The next of all matches behind a place, found without sorting the others. */
function firstOf(all: readonly Found[], { direction, after, limit }: Step): readonly Found[] {
  const sign = direction === 'ascending' ? 1 : -1
  const first: Found[] = []
  for (const each of all) {
    if (after !== undefined && sign * compareKeys(each.key, after) <= 0) continue
    const worst = first.at(-1)
    if (first.length >= limit && worst !== undefined && sign * compareKeys(each.key, worst.key) >= 0) continue
    let low = 0
    let high = first.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (sign * compareKeys(each.key, first[middle]?.key ?? each.key) > 0) low = middle + 1
      else high = middle
    }
    first.splice(low, 0, each)
    if (first.length > limit) first.pop()
  }
  return first
}
