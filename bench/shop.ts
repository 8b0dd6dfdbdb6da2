import { randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { forEach } from '../src/cli/courier.ts'
import { startChild } from './child.ts'
import { type Connection, openConnection, type Sent, succeed } from './connection.ts'
import { categories, products, skus } from './goods.ts'
import { Readings } from './watch.ts'

/** A shop in a server process of its own, filled through its API. */

export interface Shop {
  readonly url: string
  /** With it everything may be asked. */
  readonly token: string
  /** Sends what must be taken, as staff if no other token is given. @returns the body of the answer */
  send(method: Sent['method'], path: string, body?: unknown, token?: string): Promise<unknown>
  /** Begins to watch the server. @returns the position of the log's last event */
  watch(): Promise<number>
  /** What was seen since. */
  readings(): Promise<Readings>
  /** Waits until everything that follows from the commands so far has happened. @returns the position of the last event */
  rest(): Promise<number>
  stop(): Promise<void>
}

export interface Shopper {
  readonly customerId: string
  readonly token: string
}

export const Address = z.object({ url: z.string(), token: z.string() })
const Token = z.object({ token: z.string() })

const atOnce = 32
/** More than all purchases of a run can buy. */
const received = 1_000_000

/** What staff ask of a shop. */
export interface Staff extends Pick<Shop, 'send'> {
  close(): Promise<void>
}

/** Settings of all servers: limits of rates that nobody reaches, and any free ports. */
export function settingsOfServer(): Readonly<Record<string, string>> {
  const plenty = '1000000000'
  return {
    DAYBOOK_PORT: '0',
    DAYBOOK_METRICS_PORT: '0',
    DAYBOOK_TOKEN_SECRET: randomBytes(36).toString('base64'),
    DAYBOOK_RATE_LIMIT_PER_MINUTE: plenty,
    DAYBOOK_GUEST_TOKENS_PER_MINUTE: plenty,
    DAYBOOK_ACCESS_TOKEN_LIFETIME_MS: '3600000', // shoppers get theirs once, before all rounds
  }
}

/** Sends to a server with a token that may everything. */
export function staffOf({ url, token }: z.output<typeof Address>): Staff {
  const free: Connection[] = Array.from({ length: atOnce }, () => openConnection(url))
  const all = [...free]
  return {
    async send(method, path, body, as = token) {
      const connection = free.pop()
      if (connection === undefined) throw new Error(`No more than ${atOnce} requests can be sent at once`)
      try {
        const headers = {
          authorization: `Bearer ${as}`,
          ...(method !== 'GET' && { 'idempotency-key': randomUUID() }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        }
        const answer = await succeed(connection, {
          method,
          path,
          headers,
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
        return answer.body.length === 0 ? undefined : JSON.parse(answer.body.toString())
      } finally {
        free.push(connection)
      }
    },
    async close() {
      await Promise.all(all.map((each) => each.close()))
    },
  }
}

/** Starts the server on a data directory. All settings but the limits of rates are the defaults. */
export async function startShop(directory: string, profileDirectory?: string | undefined): Promise<Shop> {
  const child = startChild('./shop-server.ts', {
    environment: { ...settingsOfServer(), DAYBOOK_DATA_DIR: directory },
    profileDirectory,
  })
  const address = Address.parse(await child.ask('address'))
  const { send, close } = staffOf(address)
  return {
    ...address,
    send,
    watch: async () => z.number().parse(await child.ask('watch')),
    readings: async () => Readings.parse(await child.ask('readings')),
    rest: async () => z.number().parse(await child.ask('rest')),
    async stop() {
      await close()
      await child.stop()
    },
  }
}

/** Terms, categories, 1,000 products and their stock. */
export async function fillShop({ send, rest }: Pick<Shop, 'send' | 'rest'>): Promise<void> {
  await send('PUT', '/v1/tax-rates/DE', { taxCategory: 'standard', rate: 1_900 })
  await send('PUT', '/v1/shipping-methods/standard', { titles: { en: 'Standard' }, prices: { EUR: 490 } })
  await forEach(categories, atOnce, async (id) => {
    await send('POST', '/v1/categories', { id, slug: id, titles: { en: id } })
  })
  await forEach(products(), atOnce, async (product) => {
    await send('POST', '/v1/products', product)
  })
  await forEach(skus, atOnce, async ({ sku }) => {
    await send('POST', `/v1/stock-items/${sku}/receive`, { quantity: received, reference: 'first-delivery' })
  })
  await rest()
}

/**
 * Registers customers, and gives them tokens.
 * @param name what their ids begin with, if the shop may have such customers already
 */
export async function registerShoppers(
  { send, rest }: Pick<Shop, 'send' | 'rest'>,
  count: number,
  name = 'customer',
): Promise<readonly Shopper[]> {
  const shoppers: Shopper[] = []
  const ids = Array.from({ length: count }, (_, place) => `${name}-${place + 1}`)
  await forEach(ids, atOnce, async (customerId) => {
    await send('POST', '/v1/customers', { id: customerId, email: `${customerId}@example.com`, name: 'Ada Lovelace' })
    const { token } = Token.parse(await send('POST', `/v1/customers/${customerId}/tokens`))
    shoppers.push({ customerId, token })
  })
  await rest()
  return shoppers
}
