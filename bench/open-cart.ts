import { cart } from '../src/domain/cart/cart.ts'
import type { Command } from '../src/engine/command.ts'

/** Makes a command as the API makes a guest's. */
export function openCart(): Command {
  const customerId = crypto.randomUUID()
  return {
    decider: cart,
    target: crypto.randomUUID(),
    type: 'OpenCart',
    data: { customerId, buyer: 'guest', currency: 'EUR', language: 'en' },
    id: crypto.randomUUID(),
    hash: 'WkCU5pv-gyS7QVWOJpAdj2rTq9ev2t4zI4cbRvWU-7Y',
    actor: { kind: 'guest', id: customerId },
    correlationId: crypto.randomUUID(),
  }
}
