import type { Context } from '../../engine/decider.ts'
import { notFound } from '../../engine/errors.ts'
import type { Command } from './commands.ts'
import type { CartEvent } from './events.ts'
import { mergedLines } from './merged-lines.ts'
import { type Cart, maxLines, openTerms } from './state.ts'

/** What becomes of a guest's cart, when the guest logs in: it is handed over, or its lines go into another. */

export function mergeGuestCart(command: Command<'MergeGuestCart'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  const { fromCartId, fromRevision, lines, address, shipping } = command
  // What the guest has changed since then comes along, too.
  if (cart.merged?.some((each) => each.fromCartId === fromCartId && each.fromRevision === fromRevision)) return []
  const { added, raised, left } = mergedLines(cart.lines, lines, maxLines)
  const skus = (some: readonly { readonly sku: string }[]) => some.map(({ sku }) => sku)
  const isAddressTaken = cart.address === undefined && address !== undefined
  return [
    ...added.map((data): CartEvent => ({ type: 'CartLineAdded', data })),
    ...raised.map(({ sku, quantity }): CartEvent => ({ type: 'CartLineQuantityChanged', data: { sku, quantity } })),
    ...(isAddressTaken ? [{ type: 'CartAddressSet', data: address } as const] : []),
    ...(isAddressTaken && shipping ? [{ type: 'CartShippingChosen', data: shipping } as const] : []),
    {
      type: 'GuestCartMerged',
      data: { fromCartId, fromRevision, added: skus(added), raised: skus(raised), left: skus(left) },
    },
  ]
}

function refuseOthers({ customerId }: Cart, fromCustomerId: string, id: string): void {
  if (customerId !== fromCustomerId) throw notFound('cart', id)
}

export function handOver(command: Command<'HandOverCart'>, cart: Cart, { id }: Context): CartEvent[] {
  openTerms(cart, id)
  const { fromCustomerId, ...data } = command
  if (cart.customerId === data.customerId) return []
  refuseOthers(cart, fromCustomerId, id)
  return [{ type: 'CartHandedOver', data: { ...data, buyer: 'member' } }]
}

export function closeMerged(command: Command<'CloseMergedCart'>, cart: Cart, { id }: Context): CartEvent[] {
  if (cart.status === 'merged') return []
  openTerms(cart, id)
  refuseOthers(cart, command.fromCustomerId, id)
  return [{ type: 'CartMerged', data: { intoCartId: command.intoCartId } }]
}
