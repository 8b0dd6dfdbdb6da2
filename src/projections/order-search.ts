import { z } from 'zod'
import type { OrderContents } from '../domain/order/contents.ts'
import { Id, Timestamp } from '../domain/values.ts'
import { compareKeys } from '../engine/index-range.ts'
import { collection, derivedCollection } from '../engine/projection.ts'
import type { Reader, Step } from '../engine/query.ts'
import type { SortKey } from '../engine/read-store.ts'
import { wordsOf } from './catalogue-words.ts'

/** The words by which staff find orders: of number, SKUs and titles. Nothing of them is personal. */

const maxWords = 1_000

const Word = z.string().meta({ description: 'A word of number, SKU or title', example: 'teapot' })

/** Apart from the orders, which change often, while their words never do. */
export const OrderText = z.object({
  orderId: Id,
  placedAt: Timestamp,
  words: z.array(Word).meta({ description: 'Words by which the order is found', example: ['teapot', 'blue'] }),
})
export type OrderText = z.output<typeof OrderText>

export const orderTexts = collection('texts', OrderText, {})

const OrderWord = z.object({ orderId: Id, placedAt: Timestamp, word: Word })

export const orderWords = derivedCollection(
  'words',
  OrderWord,
  { byWord: ['word', 'placedAt'] },
  orderTexts,
  (_id, text) => {
    const { orderId, placedAt, words } = text
    return new Map(words.map((word) => [wordId(orderId, word), { orderId, placedAt, word }]))
  },
)

function wordId(orderId: string, word: string): string {
  return `${orderId} ${word}`
}

/** The words of an order; of a very long one those of its first lines. */
export function textOf(
  orderId: string,
  { number, placedAt, lines }: Pick<OrderContents, 'lines'> & Pick<OrderText, 'placedAt'> & { readonly number: string },
): OrderText {
  const words = new Set(wordsOf(number))
  for (const { sku, title } of lines) {
    for (const word of wordsOf(`${sku} ${title}`)) if (words.size < maxWords) words.add(word)
  }
  return { orderId, placedAt, words: [...words] }
}

/** The words of a question; an order has to have words that begin with each. */
export function askedWords(text: string): readonly string[] {
  return wordsOf(text).slice(0, 10)
}

export function matchesAll({ words }: OrderText, asked: readonly string[]): boolean {
  return asked.every((beginning) => words.some((word) => word.startsWith(beginning)))
}

interface Hit {
  readonly key: SortKey
  readonly body: { readonly orderId: string }
}

/** Most words that one beginning stands for. */
const maxCompletions = 50

/**
 * Orders with a word that begins in a certain way, in the order in which they were placed. Each word has an order of
 * its own in the index; they are merged.
 * @param range of `placedAt`
 */
export function findByBeginning(
  reader: Reader,
  beginning: string,
  range: { readonly from?: string; readonly to?: string },
): (step: Step) => Promise<readonly Hit[]> {
  let completed: Promise<readonly string[]> | undefined
  return async ({ direction, limit, after }) => {
    completed ??= completions(reader, beginning)
    const found = await Promise.all(
      (await completed).map((word) => {
        const [placedAt = null, orderId = null] = after ?? []
        const place = after && {
          after: [word, placedAt, direction === 'descending' ? `${orderId} ` : `${orderId} \u{10ffff}`],
        }
        return reader.find(orderWords, { index: 'byWord', equals: [word], ...range, ...place, direction, limit })
      }),
    )
    const hits = new Map<string, Hit>()
    for (const { body } of found.flat()) hits.set(body.orderId, { key: [body.placedAt, body.orderId], body })
    const sign = direction === 'descending' ? -1 : 1
    return [...hits.values()].sort((left, right) => sign * compareKeys(left.key, right.key)).slice(0, limit)
  }
}

/** The words that begin so, found by leaping from one to the next. */
async function completions(reader: Reader, beginning: string): Promise<readonly string[]> {
  const words: string[] = []
  while (words.length < maxCompletions) {
    const last = words.at(-1)
    const after = last !== undefined && { after: [last, '\u{10ffff}', ''] }
    const [next] = await reader.find(orderWords, { index: 'byWord', startsWith: beginning, limit: 1, ...after })
    if (next === undefined) break
    words.push(next.body.word)
  }
  return words
}
