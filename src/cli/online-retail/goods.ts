import { Slug } from '../../domain/values.ts'
import type { RetailOrder } from './order.ts'
import { isService, skuOf } from './stock-code.ts'

/** The goods that the orders of the file name, as products. */

export interface Goods {
  readonly sku: string
  readonly productId: string
  readonly slug: string
  /** What it was called first, or its code. */
  readonly title: string
  /** What it cost first, in pence. */
  readonly unitPrice: number
  /** When it was sold first, ISO 8601. */
  readonly firstSoldAt: string
  /** Pieces that all orders of the file sold. */
  readonly sold: number
  /** Postage, fees and the like have no stock and are not shown in the shop. */
  readonly isService: boolean
}

/** A name for addresses of pages; case does not count in it, so codes that differ by case alone are numbered. */
function slugOf(title: string, stockCode: string, taken: ReadonlySet<string>): string {
  const name = (text: string) =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-+|-+$/g, '')
  const code = name(stockCode) || 'code'
  const room = (Slug.maxLength ?? 100) - code.length - 10
  const base = [name(title.slice(0, Math.max(0, room))), code].filter((part) => part !== '').join('-')
  let slug = base
  for (let number = 2; taken.has(slug); number++) slug = `${base}-${number}`
  return slug
}

/** By stock code, in the order of their first sale. */
export function goodsOf(orders: readonly RetailOrder[]): ReadonlyMap<string, Goods> {
  const lines = orders.flatMap((order) => order.lines.map((line) => ({ ...line, at: order.at })))
  const titles = new Map<string, string>()
  for (const { stockCode, description } of lines) {
    if (description !== '' && !titles.has(stockCode)) titles.set(stockCode, description)
  }
  const slugs = new Set<string>()
  const goods = new Map<string, Goods>()
  for (const { stockCode, quantity, unitPrice, at } of lines) {
    const known = goods.get(stockCode)
    if (known !== undefined) {
      goods.set(stockCode, { ...known, sold: known.sold + quantity })
      continue
    }
    // Every line that was read has a code that can be a SKU.
    const sku = skuOf(stockCode) ?? stockCode
    const title = titles.get(stockCode) ?? stockCode
    const slug = slugOf(title, stockCode, slugs)
    slugs.add(slug)
    goods.set(stockCode, {
      sku,
      productId: `online-retail-${sku}`,
      slug,
      title,
      unitPrice,
      firstSoldAt: at,
      sold: quantity,
      isService: isService(stockCode),
    })
  }
  return goods
}
