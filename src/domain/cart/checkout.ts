import { fact, withFacts } from '../../engine/decider.ts'
import { reject } from '../../engine/errors.ts'
import { derivedId } from '../../engine/streams.ts'
import { offerOf, shippingOf } from '../offer.ts'
import type { OrderContents, OrderLine, OrderShipping } from '../order/contents.ts'
import { includedTax, priceLine, totalsOf } from '../pricing.ts'
import { type Product, product } from '../product.ts'
import type { ShippingMethod } from '../shipping-method.ts'
import { type TaxRates, taxRates } from '../tax-rates.ts'
import type { Command } from './commands.ts'
import type { CartEvent, DataOf } from './events.ts'
import { chosenMethod } from './shipping.ts'
import { type Cart, openTerms } from './state.ts'

/** What becomes an order: everything as it is now, with every amount. */

function orderLine(
  { productId, sku, quantity }: Cart['lines'][number],
  sold: Product,
  rates: TaxRates,
  terms: DataOf<'CartOpened'>,
): OrderLine {
  const { title, unitPrice } = offerOf(sold, productId, sku, terms)
  const taxRate = rates.rates.get(sold.taxCategory) ?? 0
  return {
    lineId: sku,
    productId,
    sku,
    title,
    categoryIds: [...sold.allCategoryIds],
    quantity,
    unitPrice,
    taxRate,
    ...priceLine({ unitPrice, quantity, taxRate }),
  }
}

function orderShipping(method: ShippingMethod, rates: TaxRates, chosen: DataOf<'CartShippingChosen'>): OrderShipping {
  const taxRate = rates.rates.get(method.taxCategory) ?? 0
  return { ...chosen, taxRate, tax: includedTax(chosen.amount, taxRate) }
}

/** Looks everything up again: what counts is what things cost now. */
export const checkOut = withFacts(
  (_command: Command<'CheckOut'>, cart: Cart) => ({
    products: cart.lines.map(({ productId }) => fact(product, productId)),
    rates: cart.address ? [fact(taxRates, cart.address.country)] : [],
    ...chosenMethod(cart),
  }),
  ({ expectedTotal }, cart, { id, facts }): CartEvent[] => {
    if (cart.status === 'checked-out') return []
    const terms = openTerms(cart, id)
    const { address, shipping: chosen } = cart
    const [rates] = facts.rates
    const [method] = facts.methods
    if (cart.lines.length === 0) throw reject('cart-empty', 'Put something into the cart before you check out.')
    if (!address || !rates) throw reject('address-missing', 'Say where the goods go before you check out.')
    if (!chosen || !method) throw reject('shipping-missing', 'Choose how the goods are sent before you check out.')
    const lines = cart.lines.flatMap((line, place) => {
      const sold = facts.products[place]
      return sold ? [orderLine(line, sold, rates, terms)] : []
    })
    const shipping = orderShipping(method, rates, shippingOf(method, chosen.method, terms, address.country))
    const totals = totalsOf(lines, shipping)
    if (expectedTotal !== undefined && expectedTotal !== totals.total) {
      throw reject('price-changed', 'The total has changed. Show it to the shopper, and check out again.', {
        total: totals.total,
      })
    }
    const order: OrderContents = { ...terms, ...address, lines, shipping, totals }
    return [{ type: 'CartCheckedOut', data: { orderId: derivedId('order', id), order } }]
  },
)
