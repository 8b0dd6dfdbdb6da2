import { z } from 'zod'
import type { Connection } from './connection.ts'
import { ProblemError } from './connection.ts'
import { type Courier, courier, forEach } from './courier.ts'
import { categoryRequests, productRequests, termsRequests, variantsOf } from './demo-catalogue.ts'
import { demoProducts } from './demo-goods.ts'
import { type DemoOrder, type DemoRefund, demoDays, demoSales, firstOrderId, lastOrderId } from './demo-orders.ts'
import { demoPeople, memberRequests } from './demo-people.ts'
import type { DemoRequest } from './demo-request.ts'
import { progressLine } from './output.ts'
import { random } from './random.ts'

/** `daybook seed`: makes the demo shop through the commands, the same one each time. */

const requestsAtOnce = 32
const dayMs = 86_400_000
const external = 'demo'
/** What the tour through the demo shop buys never runs out. */
const tourSku = 'teapot-litre-BLUE'

function instant(ms: number): string {
  return new Date(ms).toISOString()
}

/** What was received of each SKU before anything was sold, so that some of it is gone by now and some is low. */
function receiveRequests(orders: readonly DemoOrder[], occurredAt: string): readonly DemoRequest[] {
  const sold = new Map<string, number>()
  for (const { sku, quantity } of orders.flatMap(({ lines }) => lines)) {
    sold.set(sku, (sold.get(sku) ?? 0) + quantity)
  }
  const { next, between } = random(8_128)
  return demoProducts.flatMap(variantsOf).flatMap(({ sku }): DemoRequest[] => {
    const chance = next()
    const plenty = between(15, 120)
    const left = sku === tourSku ? 120 : chance < 0.08 ? 0 : chance < 0.2 ? between(1, 4) : plenty
    const quantity = (sold.get(sku) ?? 0) + left
    if (quantity === 0) return []
    const body = { quantity, reference: 'demo-first-delivery' }
    return [{ method: 'POST', path: `/v1/stock-items/${sku}/receive`, body, key: 'demo/receive', occurredAt }]
  })
}

function soldRequests({ id, lines, placedMs }: DemoOrder): readonly DemoRequest[] {
  return lines.map(({ sku, quantity }) => ({
    method: 'POST',
    path: `/v1/stock-items/${sku}/adjust`,
    body: { change: -quantity, reason: 'Sold in the demo', reference: id },
    key: `demo/sold/${id}`,
    occurredAt: instant(placedMs),
  }))
}

function orderRequest({ placedMs, ...order }: DemoOrder): DemoRequest {
  return {
    method: 'POST',
    path: '/v1/orders/import',
    body: { ...order, external },
    key: `demo/order/${order.id}`,
    occurredAt: instant(placedMs),
  }
}

function refundRequest({ orderId, lineId, reason, atMs }: DemoRefund): DemoRequest {
  return {
    method: 'POST',
    path: `/v1/orders/${orderId}/import-refund`,
    body: { refundId: `${orderId}-refund`, lines: [{ lineId, quantity: 1 }], reason },
    key: 'demo/refund',
    occurredAt: instant(atMs),
  }
}

/** All that makes the shop, in stages: each needs those before it. The first order comes first and the last one last. */
export function demoRequests(nowMs: number): readonly (readonly DemoRequest[])[] {
  const openedAt = instant(nowMs - (demoDays + 1) * dayMs)
  const [somebody, ...others] = demoPeople
  if (somebody === undefined) return []
  const { orders, refunds } = demoSales(nowMs, [somebody, ...others])
  return [
    orders.slice(0, 1).map(orderRequest),
    ...categoryRequests(openedAt),
    [...termsRequests(openedAt), ...productRequests(openedAt)],
    ...memberRequests(openedAt),
    receiveRequests(orders, openedAt),
    orders.flatMap(soldRequests),
    orders.slice(1, -1).map(orderRequest),
    refunds.map(refundRequest),
    orders.slice(-1).map(orderRequest),
  ]
}

const PlacedOrder = z.object({ placedAt: z.iso.datetime() })

/** When an order of the demo was placed, in milliseconds since the epoch; undefined if it is not there. */
async function placedMs(requests: Courier, orderId: string): Promise<number | undefined> {
  const { status, body } = await requests.ask(`/v1/orders/${orderId}`)
  if (status === 404) return undefined
  if (status !== 200) throw new ProblemError(status, body)
  return Date.parse(PlacedOrder.parse(body).placedAt)
}

/**
 * Makes the demo shop. If it is there, nothing is done; if it is there in part, the rest is made.
 * @param options.now when it is made, ISO 8601; a demo shop that was begun keeps its own time
 * @throws ProblemError when something of the shop's own is in the way
 */
export async function seed(
  connection: Connection,
  { now, onProgress }: { readonly now: string; readonly onProgress?: (done: number, total: number) => void },
): Promise<void> {
  const requests = courier(connection, requestsAtOnce)
  if ((await placedMs(requests, lastOrderId)) !== undefined) return
  const begunMs = await placedMs(requests, firstOrderId)
  const stages = demoRequests(begunMs === undefined ? Date.parse(now) : begunMs + demoDays * dayMs)
  const total = stages.reduce((sum, stage) => sum + stage.length, 0)
  for (const stage of stages) {
    await forEach(stage, requestsAtOnce, async ({ method, path, body, ...options }) => {
      await requests.send(method, path, body, options)
      onProgress?.(requests.sent(), total)
    })
  }
}

/** Makes the demo shop as it is now, and shows how far it is. */
export async function seedWithProgress(connection: Connection): Promise<void> {
  const startedAt = Date.now()
  await seed(connection, {
    now: new Date(startedAt).toISOString(),
    onProgress(done, total) {
      const perSecond = (done * 1_000) / Math.max(1, Date.now() - startedAt)
      const end = process.stdout.isTTY ? '\r' : '\n'
      if (process.stdout.isTTY || done === total)
        process.stdout.write(`Making the demo shop ${progressLine(done, total, perSecond, 'commands')}${end}`)
    },
  })
  process.stdout.write('\n')
}
