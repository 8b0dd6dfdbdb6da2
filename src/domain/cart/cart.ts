import { type Context, decider } from '../../engine/decider.ts'
import { reject } from '../../engine/errors.ts'
import { isSame } from '../sameness.ts'
import { checkOut } from './checkout.ts'
import { type Command, cartCommands } from './commands.ts'
import { type CartEvent, cartEvents } from './events.ts'
import { closeMerged, handOver, mergeGuestCart } from './guest-cart.ts'
import { addLine, changeQuantity, removeLine } from './lines.ts'
import { chooseShipping, setAddress } from './shipping.ts'
import { type Cart, evolve, initial, openTerms } from './state.ts'

export type { Cart } from './state.ts'

function open(command: Command<'OpenCart'>, cart: Cart, { id }: Context): CartEvent[] {
  if (cart.terms === undefined) return [{ type: 'CartOpened', data: command }]
  openTerms(cart, id)
  if (isSame(command, cart.terms)) return []
  throw reject('cart-exists', 'A cart with this id was opened with other content. Open one with another id.')
}

/** What somebody means to buy. Checking out decides the order, which takes its id from the cart. */
export const cart = decider({
  events: cartEvents,
  commands: cartCommands,
  initial,
  evolve,
  decide: {
    OpenCart: open,
    AddCartLine: addLine,
    ChangeCartLineQuantity: changeQuantity,
    RemoveCartLine: removeLine,
    SetCartAddress: setAddress,
    ChooseCartShipping: chooseShipping,
    CheckOut: checkOut,
    MergeGuestCart: mergeGuestCart,
    HandOverCart: handOver,
    CloseMergedCart: closeMerged,
  },
})
