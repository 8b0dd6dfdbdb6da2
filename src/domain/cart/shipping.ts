import { fact, withFacts } from '../../engine/decider.ts'
import { shippingOf, shippingProblem } from '../offer.ts'
import { isSame } from '../sameness.ts'
import { shippingMethod } from '../shipping-method.ts'
import type { Command } from './commands.ts'
import type { CartEvent } from './events.ts'
import { type Cart, openTerms } from './state.ts'

/** Where the goods go, and how they are sent. */

/** Looks up the method that the cart has chosen, if it has. */
export function chosenMethod({ shipping }: Cart) {
  return { methods: shipping ? [fact(shippingMethod, shipping.method)] : [] }
}

export const setAddress = withFacts(
  (_command: Command<'SetCartAddress'>, cart: Cart) => chosenMethod(cart),
  (command, cart, { id, facts }): CartEvent[] => {
    const terms = openTerms(cart, id)
    if (isSame(command, cart.address)) return []
    const set: CartEvent = { type: 'CartAddressSet', data: command }
    const [method] = facts.methods
    if (!cart.shipping || !method || cart.address?.country === command.country) return [set]
    const code = cart.shipping.method
    if (shippingProblem(method, code, terms.currency, command.country)) return [set]
    return [set, { type: 'CartShippingChosen', data: shippingOf(method, code, terms, command.country) }]
  },
)

export const chooseShipping = withFacts(
  ({ method }: Command<'ChooseCartShipping'>) => ({ method: fact(shippingMethod, method) }),
  (command, cart: Cart, { id, facts }): CartEvent[] => {
    const terms = openTerms(cart, id)
    const chosen = shippingOf(facts.method, command.method, terms, cart.address?.country)
    return isSame(chosen, cart.shipping) ? [] : [{ type: 'CartShippingChosen', data: chosen }]
  },
)
