import { type Cart, cart } from '../domain/cart/cart.ts'
import { cartEvents } from '../domain/cart/events.ts'
import { customer } from '../domain/customer.ts'
import { ask, type Command } from '../engine/command.ts'
import type { CommandHandler } from '../engine/command-handler.ts'
import { PreconditionError, Rejection, UnavailableError } from '../engine/errors.ts'
import type { EventStore } from '../engine/event-store.ts'
import type { PersonalData } from '../engine/personal-data.ts'
import type { ReadModels } from '../engine/projections.ts'
import { derivedId } from '../engine/streams.ts'
import { carts, openCartsOf } from '../projections/carts.ts'

/** Takes a guest's cart along when the guest logs in. */

export interface TakenCart {
  /** The customer's cart now. */
  readonly id: string
  /** How it came to be: the guest's own cart, or the customer's with the larger number of pieces of each SKU. */
  readonly rule: 'handed-over' | 'larger-quantity'
  readonly added: string[]
  readonly raised: string[]
  readonly left: string[]
  readonly position: number
}

export interface Takeover {
  readonly guestId: string
  readonly customerId: string
  readonly correlationId: string
}

export interface GuestCartOptions {
  readonly handler: Pick<CommandHandler, 'handle' | 'fold'>
  readonly personal: PersonalData
  readonly projections: Pick<ReadModels, 'reader' | 'waitFor'>
  readonly store: Pick<EventStore, 'head'>
  /** How long the carts are waited for. */
  readonly queryWaitMs: number
}

type Address = NonNullable<Cart['address']>

const tries = 5

function isStale(error: unknown): boolean {
  return error instanceof PreconditionError && error.code === 'revision-mismatch'
}

/** What all merges of a guest's cart have brought: there are several where the guest went on meanwhile. */
function broughtBy(merges: NonNullable<Cart['merged']>): Pick<TakenCart, 'added' | 'raised' | 'left'> {
  const added = new Set(merges.flatMap((each) => each.added))
  const raised = new Set(merges.flatMap((each) => each.raised))
  return {
    added: [...added],
    raised: [...raised].filter((sku) => !added.has(sku)),
    left: [...(merges.at(-1)?.left ?? [])],
  }
}

/**
 * Each cart is a stream, and one command writes one stream: so the lines are copied first, then the guest's cart is closed at the
 * revision that was copied. Where the guest changes it meanwhile, or the process dies between the two, it is still open, and taking
 * it again adds nothing twice. A cart that has been checked out is left alone. Before all that the customer's stream says which guest
 * it was, for what the guest has sealed is to go with the customer.
 * @returns a function that gives undefined where the guest has no open cart with anything in it
 */
export function guestCarts(options: GuestCartOptions): (takeover: Takeover) => Promise<TakenCart | undefined> {
  const { handler, personal, projections, store, queryWaitMs } = options

  /** An address as it is sealed for somebody else. */
  async function sealedFor(customerId: string, address: Address): Promise<Address> {
    const schema = cartEvents.schemas.CartAddressSet
    const [opened] = await personal.open(schema, [address])
    return await personal.seal(schema, schema.parse(opened), () => customerId)
  }

  /** @throws PreconditionError when the guest's cart is changed meanwhile */
  async function takeOnce({ guestId, customerId, correlationId }: Takeover): Promise<TakenCart | undefined> {
    await projections.waitFor(carts.name, (await store.head()).position, queryWaitMs)
    const reader = projections.reader(carts.name)
    const [theirs] = (await openCartsOf(reader, guestId)).filter(({ lines }) => lines.length > 0)
    if (theirs === undefined) return undefined
    const { state: guests, revision } = await handler.fold(cart, theirs.id)
    if (guests.status !== 'open' || guests.customerId !== guestId) return undefined
    const own = (await openCartsOf(reader, customerId)).find(({ currency }) => currency === guests.terms?.currency)
    await handler.handle({
      ...ask(customer, customerId, 'TakeGuestOver', { guestId }),
      id: derivedId('take-guest-over', customerId, guestId),
      actor: { kind: 'customer', id: customerId },
      correlationId,
    })
    const address = guests.address && (await sealedFor(customerId, guests.address))

    function command(asked: ReturnType<typeof ask>): Command {
      const id = derivedId('take-cart', theirs?.id ?? '', revision, customerId, asked.target, asked.type)
      return { ...asked, id, actor: { kind: 'customer', id: customerId }, correlationId }
    }

    async function handOver(cartId: string): Promise<TakenCart> {
      const person = { email: address?.email ?? null, shippingAddress: address?.shippingAddress ?? null }
      const asked = ask(cart, cartId, 'HandOverCart', { fromCustomerId: guestId, customerId, ...person })
      const { position } = await handler.handle({ ...command(asked), expectedRevision: revision })
      const added = guests.lines.map(({ sku }) => sku)
      return { id: cartId, rule: 'handed-over', added, raised: [], left: [], position }
    }

    async function merge(fromCartId: string, cartId: string): Promise<TakenCart> {
      const { shipping } = guests
      const content = {
        fromCartId,
        fromRevision: revision,
        lines: [...guests.lines],
        ...(address && { address }),
        ...(shipping && { shipping }),
      }
      await handler.handle(command(ask(cart, cartId, 'MergeGuestCart', content)))
      const closing = ask(cart, fromCartId, 'CloseMergedCart', { fromCustomerId: guestId, intoCartId: cartId })
      const { position } = await handler.handle({ ...command(closing), expectedRevision: revision })
      const { merged = [] } = (await handler.fold(cart, cartId)).state
      const brought = broughtBy(merged.filter((each) => each.fromCartId === fromCartId))
      return { id: cartId, rule: 'larger-quantity', ...brought, position }
    }

    return own === undefined ? await handOver(theirs.id) : await merge(theirs.id, own.id)
  }

  return async (takeover) => {
    for (let round = 0; round < tries; round++) {
      try {
        return await takeOnce(takeover)
      } catch (error) {
        // Either was checked out meanwhile, another log-in was quicker, or the customer is forgotten.
        if (error instanceof Rejection) return undefined
        if (!isStale(error)) throw error
      }
    }
    throw new UnavailableError('busy', "The guest's cart is changed all the time. Try again.")
  }
}
