import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { ShopClient } from '../../integration/shop-client.ts'

/** What a shop says of itself: the same of the same log, in this release and in all that come. */

const Ready = z.object({ status: z.string() })
const Orders = z.object({ items: z.array(z.object({ id: z.string() })) })

const askEveryMs = 20
const longestBuildMs = 60_000

/** Waits until every read model is there. */
export async function built(shop: ShopClient): Promise<void> {
  for (const deadline = Date.now() + longestBuildMs; Date.now() < deadline; await sleep(askEveryMs)) {
    if (Ready.parse((await shop.send('GET', '/health/ready')).body).status === 'ready') return
  }
  throw new Error('The read models were not built in time.')
}

/** Answers of queries to each of the read models, which later releases may only add to. */
export async function figuresOf(shop: ShopClient): Promise<Readonly<Record<string, unknown>>> {
  const orders = Orders.parse(await shop.get('/v1/admin/orders?limit=100'))
  const paths = [
    '/v1/products?limit=20&currency=EUR&language=en&q=teapot',
    '/v1/admin/products',
    '/v1/categories',
    '/v1/stock-levels',
    '/v1/shipping-methods?country=DE&currency=EUR',
    '/v1/tax-rates',
    '/v1/admin/customers',
    '/v1/customers/bob',
    '/v1/payments?limit=100',
    '/v1/api-keys',
    '/v1/open-work',
    '/v1/dead-letters',
    ...orders.items.flatMap(({ id }) => [`/v1/orders/${id}`, `/v1/orders/${id}/timeline`]),
  ]
  const answers = await Promise.all(
    paths.map(async (path) => {
      const { status, body } = await shop.send('GET', path)
      if (status !== 200) throw new Error(`${path} was answered ${status}: ${JSON.stringify(body)}`)
      return [path, body] as const
    }),
  )
  return { '/v1/admin/orders?limit=100': orders, ...Object.fromEntries(answers) }
}

/** What is missing from an answer, or another one than it was; what is there beside that was added since. */
export function lostFrom(expected: unknown, found: unknown, at = ''): readonly string[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(found) || found.length !== expected.length) return [`${at} has other elements`]
    return expected.flatMap((each: unknown, index) => lostFrom(each, found[index], `${at}[${index}]`))
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof found !== 'object' || found === null) return [`${at} is gone`]
    const fields = new Map<string, unknown>(Object.entries(found))
    return Object.entries(expected).flatMap(([name, value]) => lostFrom(value, fields.get(name), `${at}.${name}`))
  }
  return Object.is(expected, found) ? [] : [`${at} was ${JSON.stringify(expected)} and is ${JSON.stringify(found)}`]
}
