import { z } from 'zod'
import { skus } from './goods.ts'
import { registerShoppers, type Shop } from './shop.ts'

/** A cart that its customer changes. */
export interface Cart {
  readonly cartId: string
  readonly sku: string
  /** Of the customer. */
  readonly token: string
}

const Opened = z.object({ id: z.string() })

/** Carts of as many customers, each with one line. */
export async function openCarts(shop: Pick<Shop, 'send' | 'rest'>, count: number): Promise<readonly Cart[]> {
  const carts: Cart[] = []
  for (const { token } of await registerShoppers(shop, count)) {
    const line = skus[carts.length]
    if (line === undefined) throw new Error('There are fewer goods than carts')
    const { id } = Opened.parse(await shop.send('POST', '/v1/carts', { currency: 'EUR' }, token))
    await shop.send('POST', `/v1/carts/${id}/lines`, { ...line, quantity: 10 }, token)
    carts.push({ cartId: id, sku: line.sku, token })
  }
  return carts
}
