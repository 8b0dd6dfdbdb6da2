import { type Context, fact, withFacts } from '../../engine/decider.ts'
import { notFound, reject } from '../../engine/errors.ts'
import { offerOf } from '../offer.ts'
import { product } from '../product.ts'
import { Amount, Quantity } from '../values.ts'
import type { Command } from './commands.ts'
import type { CartEvent } from './events.ts'
import { type Cart, maxLines, openTerms } from './state.ts'

/** What is in the cart. */

/** @throws Rejection for what no order could hold */
function checkLineAmount(unitPrice: number, quantity: number, sku: string): void {
  if (!Amount.safeParse(unitPrice * quantity).success) {
    throw reject('total-too-large', 'That is more than one order can be for. Take fewer pieces.', { sku })
  }
}

export const addLine = withFacts(
  ({ productId }: Command<'AddCartLine'>) => ({ product: fact(product, productId) }),
  ({ productId, sku, quantity }, cart: Cart, { id, facts }): CartEvent[] => {
    const terms = openTerms(cart, id)
    const offer = offerOf(facts.product, productId, sku, terms)
    const known = cart.lines.find((line) => line.sku === sku)
    if (known === undefined && cart.lines.length >= maxLines) {
      throw reject('cart-full', `A cart has ${maxLines} lines at most. Check out, and open another.`, { maxLines })
    }
    if (known !== undefined && known.productId !== productId) {
      throw reject('sku-of-another-product', 'The cart has this SKU of another product. Remove that line first.', {
        sku,
        productId: known.productId,
      })
    }
    if (!Quantity.safeParse((known?.quantity ?? 0) + quantity).success) {
      throw reject('quantity-too-large', `A line has ${Quantity.maxValue} pieces at most.`, { sku })
    }
    checkLineAmount(offer.unitPrice, (known?.quantity ?? 0) + quantity, sku)
    return [{ type: 'CartLineAdded', data: { sku, productId, ...offer, quantity } }]
  },
)

export function changeQuantity(command: Command<'ChangeCartLineQuantity'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  const line = cart.lines.find(({ sku }) => sku === command.sku)
  if (line === undefined) throw notFound('line', command.sku)
  checkLineAmount(line.unitPrice, command.quantity, command.sku)
  return line.quantity === command.quantity ? [] : [{ type: 'CartLineQuantityChanged', data: command }]
}

export function removeLine({ sku }: Command<'RemoveCartLine'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  return cart.lines.some((line) => line.sku === sku) ? [{ type: 'CartLineRemoved', data: { sku } }] : []
}
