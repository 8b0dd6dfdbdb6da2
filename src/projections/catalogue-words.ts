import { z } from 'zod'
import { inLanguage, nearestLanguage } from '../domain/language.ts'
import { Id, Language } from '../domain/values.ts'
import { derivedCollection } from '../engine/projection.ts'
import { type Product, products } from './catalogue-products.ts'

/** The words by which products are found: an entry for each word of a text, and for each beginning of those of titles. */

/** Alike for every language, so that texts and queries are split alike; knows those that are written without spaces. */
const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/** Letters that Unicode does not take apart. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
}

/** Text as it is compared: without case, without diacritics, and with an apostrophe as the end of a word. */
function fold(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[ßæœøłđðþı]/g, (letter) => plainLetters[letter] ?? letter)
    .replace(/['’]/g, ' ')
    .normalize('NFC')
}

const maxWordLength = 32

/** The words of a text as they are compared, in its order; long ones are cut. */
export function wordsOf(text: string): readonly string[] {
  return Array.from(segmenter.segment(fold(text)))
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => Array.from(segment).slice(0, maxWordLength).join(''))
}

const maxSortKeyLength = 100

/** By what titles are sorted: their words alone. */
export function titleKey(title: string): string {
  return (wordsOf(title).join(' ') || fold(title)).slice(0, maxSortKeyLength).toWellFormed()
}

const Rank = z
  .int()
  .min(0)
  .meta({ description: 'How good a place it is: 0 for a word of the title; lower is better', example: 0 })

/** Which of a product's languages an entry belongs to. */
export const InLanguage = z.object({
  language: Language,
  base: z.string().meta({ description: 'The language without its region', example: 'en' }),
  fallback: z.string().nullable().meta({
    description: 'The same, if it is the one that is shown to those who read none of the others; otherwise null',
    example: 'en',
  }),
})
type InLanguage = z.output<typeof InLanguage>

export const Word = z.object({
  productId: Id,
  ...InLanguage.shape,
  term: z.string().meta({ description: 'A word, or the beginning of one', example: 'teapo' }),
  rank: Rank,
  wholeRank: Rank.meta({
    description: 'The best place where it is a whole word; 5, the worst, if it is only a beginning',
    example: 5,
  }),
})
export type Word = z.output<typeof Word>

/** Best places first; a beginning of a word follows the whole words of the same place. */
const ranks = { title: 0, variant: 2, description: 4 } as const
/** The rank as a whole word of what is only the beginning of one. */
export const noWholeRank = 5

/** Beginnings are kept up to this length; a longer one finds only whole words. */
const maxBeginningLength = 20
const maxDescriptionWords = 100
/** Of one product in one language. */
const maxTerms = 1_000

interface Place {
  readonly rank: number
  readonly wholeRank: number
}

/** The terms by which a product is found in one of its languages, best places first. */
function termsOf({ texts, variants }: Product, language: string): ReadonlyMap<string, Place> {
  const terms = new Map<string, Place>()
  function add(term: string, rank: number, whole: boolean): void {
    const known = terms.get(term)
    if (known === undefined && terms.size >= maxTerms) return
    const wholeRank = Math.min(known?.wholeRank ?? noWholeRank, whole ? rank : noWholeRank)
    terms.set(term, { rank: Math.min(rank, known?.rank ?? rank), wholeRank })
  }
  function addWithBeginnings(words: readonly string[], rank: number): void {
    for (const word of words) add(word, rank, true)
    for (const word of words) {
      const letters = Array.from(word)
      const longest = Math.min(letters.length - 1, maxBeginningLength)
      for (let length = 1; length <= longest; length++) add(letters.slice(0, length).join(''), rank + 1, false)
    }
  }

  const text = texts[language]
  addWithBeginnings(wordsOf(text?.title ?? ''), ranks.title)
  for (const { sku, titles } of variants) {
    const title = titles && inLanguage(titles, language)
    addWithBeginnings(wordsOf(`${sku} ${title ?? ''}`), ranks.variant)
  }
  const described = new Set(wordsOf(text?.description ?? ''))
  for (const word of [...described].slice(0, maxDescriptionWords)) add(word, ranks.description, true)
  return terms
}

/** The languages that a product has texts in. */
export function languagesOf(texts: Readonly<Record<string, unknown>>): readonly InLanguage[] {
  const fallback = fallbackOf(texts)
  return Object.keys(texts).map((language) => ({
    language,
    base: baseOf(language),
    fallback: language === fallback ? baseOf(language) : null,
  }))
}

/** The language that is shown to those who read none of the others. */
export function fallbackOf(texts: Readonly<Record<string, unknown>>): string {
  return nearestLanguage(texts, '') ?? ''
}

/** A language without its region. */
export function baseOf(language: string): string {
  return language.slice(0, 2)
}

/** Names the text of a product in a language. */
export function textName(productId: string, language: string): string {
  return `${productId} ${language}`
}

/** The product and the language of a text. @param name as `textName` makes it */
export function textNamed(name: string): { readonly productId: string; readonly language: string } {
  const end = name.indexOf(' ')
  return { productId: name.slice(0, end), language: name.slice(end + 1) }
}

/** The id of the entry of a text for a term: entries of one term are in the order of their products. */
export function wordId(text: string, term: string): string {
  return `${text} ${term}`
}

/** The name of the text that has a term. @param id as `wordId` makes it */
export function textOfWord(id: string, term: string): string {
  return id.slice(0, id.length - term.length - 1)
}

export const words = derivedCollection(
  'words',
  Word,
  // With all that a search needs of them, so that it reads the index alone.
  { byBase: ['term', 'base', 'rank', 'wholeRank'], byFallback: ['term', 'fallback', 'rank', 'wholeRank'] },
  products,
  (productId, product) => {
    const entries = new Map<string, Word>()
    if (!product.published) return entries
    for (const language of languagesOf(product.texts)) {
      for (const [term, place] of termsOf(product, language.language)) {
        entries.set(wordId(textName(productId, language.language), term), { productId, ...language, term, ...place })
      }
    }
    return entries
  },
)
