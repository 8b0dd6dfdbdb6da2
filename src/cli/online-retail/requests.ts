import type { z } from 'zod'
import type { orderCommands } from '../../domain/order/commands.ts'
import type { OrderLine } from '../../domain/order/contents.ts'
import { totalsOf } from '../../domain/pricing.ts'
import type { productCommands } from '../../domain/product.ts'
import type { RetailRefund } from './credit-notes.ts'
import type { Goods } from './goods.ts'
import { shopCurrency } from './line.ts'
import { lineIdOf, type RetailOrder } from './order.ts'

/** What is sent for orders, goods and refunds of the file. */

export const source = 'online-retail'
export const category = { id: source, slug: source, titles: { en: 'Online Retail' } }

/** The data has no tax. At a rate of zero all amounts stay what they are in the file, to the penny. */
const taxRate = 0

export function productBody({
  productId,
  sku,
  slug,
  title,
  unitPrice,
  isService,
}: Goods): z.input<typeof productCommands.CreateProduct> & { readonly id: string } {
  return {
    id: productId,
    slug,
    texts: { en: { title, description: '' } },
    categoryIds: [category.id],
    variants: [{ sku, prices: { [shopCurrency]: unitPrice } }],
    publish: !isService,
  }
}

function orderLines({ lines }: RetailOrder, goods: ReadonlyMap<string, Goods>): OrderLine[] {
  return lines.flatMap(({ stockCode, description, quantity, unitPrice }, index): OrderLine[] => {
    const sold = goods.get(stockCode)
    if (sold === undefined) return []
    const { productId, sku, title } = sold
    return [
      {
        lineId: lineIdOf(index),
        productId,
        sku,
        title: description === '' ? title : description,
        categoryIds: [category.id],
        quantity,
        unitPrice,
        amount: quantity * unitPrice,
        taxRate,
        tax: 0,
        unitTaxes: [{ units: quantity, tax: 0 }],
      },
    ]
  })
}

/** Postage is among the lines of the data set, so the order's own shipping costs nothing. */
export function orderBody(
  order: RetailOrder,
  goods: ReadonlyMap<string, Goods>,
): z.input<typeof orderCommands.ImportOrder> & { readonly id: string } {
  const lines = orderLines(order, goods)
  const shipping = { method: source, title: 'Online Retail', amount: 0, taxRate, tax: 0 }
  return {
    id: order.id,
    number: order.invoice,
    customerId: order.customerId ?? `${source}-guest-${order.invoice}`,
    buyer: order.customerId === undefined ? 'guest' : 'member',
    currency: shopCurrency,
    language: 'en',
    country: order.country,
    lines,
    shipping,
    totals: totalsOf(lines, shipping),
    external: source,
    shipped: true,
  }
}

export function refundBody({ creditNote, lines }: RetailRefund): z.input<typeof orderCommands.ImportRefund> {
  return { refundId: creditNote, lines: [...lines], reason: `Credit note ${creditNote}` }
}

/** Pieces that left the house with an order, by SKU. */
export function piecesOf(order: RetailOrder, goods: ReadonlyMap<string, Goods>): ReadonlyMap<string, number> {
  const pieces = new Map<string, number>()
  for (const { stockCode, quantity } of order.lines) {
    const sold = goods.get(stockCode)
    if (sold !== undefined && !sold.isService) pieces.set(sold.sku, (pieces.get(sold.sku) ?? 0) + quantity)
  }
  return pieces
}
