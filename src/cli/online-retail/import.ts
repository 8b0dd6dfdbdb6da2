import { z } from 'zod'
import { ProblemError } from '../connection.ts'
import { type Courier, forEach } from '../courier.ts'
import type { RetailRefund } from './credit-notes.ts'
import { type Goods, goodsOf } from './goods.ts'
import type { Ledger } from './ledger.ts'
import type { RetailOrder } from './order.ts'
import { category, orderBody, piecesOf, productBody, refundBody, source } from './requests.ts'

/**
 * Brings orders in through the commands. All ids, keys and references follow from the file, so that it can be stopped
 * and run again: an order is sent after all of its stock has left, so what is there is complete.
 */

type OnProgress = (done: number, total: number) => void

const ordersAtOnce = 32
const piecesAtOnce = 32

/** What Daybook has of the file already. */
export interface Present {
  readonly orders: ReadonlySet<string>
  readonly refunds: ReadonlySet<string>
}

const OrderAnswer = z.object({ refunds: z.array(z.object({ refundId: z.string() })) })

function refundKey({ orderId, creditNote }: Pick<RetailRefund, 'orderId' | 'creditNote'>): string {
  return `${orderId} ${creditNote}`
}

/** Asks which orders and refunds are there. */
export async function findPresent(
  courier: Courier,
  { orders }: Pick<Ledger, 'orders'>,
  onProgress: OnProgress,
): Promise<Present> {
  const present = { orders: new Set<string>(), refunds: new Set<string>() }
  let done = 0
  await forEach(orders, ordersAtOnce, async ({ id }) => {
    const { status, body } = await courier.ask(`/v1/orders/${id}`)
    if (status !== 200 && status !== 404) throw new ProblemError(status, body)
    if (status === 200) {
      present.orders.add(id)
      for (const { refundId } of OrderAnswer.parse(body).refunds) {
        present.refunds.add(refundKey({ orderId: id, creditNote: refundId }))
      }
    }
    onProgress(++done, orders.length)
  })
  return present
}

/** What is there of another file, or was changed by the shop since, is left as it is. */
async function create(
  courier: Courier,
  kind: 'product' | 'category',
  path: string,
  body: object,
  digest: string,
  occurredAt: string,
): Promise<void> {
  try {
    await courier.send('POST', path, body, { key: `${source}/${kind}/${digest}`, occurredAt })
  } catch (error) {
    if (!(error instanceof ProblemError && error.code === `${kind}-exists`)) throw error
  }
}

/** Makes the products that missing orders name, and receives the pieces that the whole file sells. */
export async function bringGoods(
  courier: Courier,
  { orders }: Pick<Ledger, 'orders'>,
  digest: string,
  present: Present,
  onProgress: OnProgress,
): Promise<void> {
  const goods = goodsOf(orders)
  const missing = orders.filter(({ id }) => !present.orders.has(id))
  const codes = new Set(missing.flatMap(({ lines }) => lines.map(({ stockCode }) => stockCode)))
  const wanted = [...goods].filter(([stockCode]) => codes.has(stockCode)).map(([, each]) => each)
  const [first] = orders
  if (wanted.length === 0 || first === undefined) return
  await create(courier, 'category', '/v1/categories', category, digest, first.at)
  let done = 0
  await forEach(wanted, ordersAtOnce, async (each) => {
    await create(courier, 'product', '/v1/products', productBody(each), digest, each.firstSoldAt)
    if (!each.isService) await receive(courier, each, digest)
    onProgress(++done, wanted.length)
  })
}

/** The data does not say what was in stock: just what the file sells is received, as one delivery named by the file. */
async function receive(courier: Courier, { sku, sold, firstSoldAt }: Goods, digest: string): Promise<void> {
  const reference = `${source}-${digest}`
  await courier.send(
    'POST',
    `/v1/stock-items/${sku}/receive`,
    { quantity: sold, reference },
    { key: `${source}/receive/${digest}`, occurredAt: firstSoldAt },
  )
}

/** Lets the stock of each missing order leave, and then imports the order. Progress is in lines of the file. */
export async function bringOrders(
  courier: Courier,
  { orders }: Pick<Ledger, 'orders'>,
  present: Present,
  onProgress: OnProgress,
): Promise<void> {
  const goods = goodsOf(orders)
  const missing = orders.filter(({ id }) => !present.orders.has(id))
  const total = missing.reduce((sum, { lines }) => sum + lines.length, 0)
  let done = 0
  await forEach(missing, ordersAtOnce, async (order) => {
    await takeOut(courier, order, goods)
    const options = { key: `${source}/order/${order.invoice}`, occurredAt: order.at }
    await courier.send('POST', '/v1/orders/import', orderBody(order, goods), options)
    done += order.lines.length
    onProgress(done, total)
  })
}

/** What was sold elsewhere has left already: one movement for each SKU, with the order as its reference. */
async function takeOut(courier: Courier, order: RetailOrder, goods: ReadonlyMap<string, Goods>): Promise<void> {
  await forEach(piecesOf(order, goods), piecesAtOnce, ([sku, pieces]) =>
    courier.send(
      'POST',
      `/v1/stock-items/${sku}/adjust`,
      { change: -pieces, reason: 'Sold elsewhere', reference: order.id },
      { key: `${source}/sold/${order.invoice}`, occurredAt: order.at },
    ),
  )
}

/** Imports the refunds that are missing. */
export async function bringRefunds(
  courier: Courier,
  { refunds }: Pick<Ledger, 'refunds'>,
  present: Present,
  onProgress: OnProgress,
): Promise<void> {
  const missing = refunds.filter((refund) => !present.refunds.has(refundKey(refund)))
  let done = 0
  await forEach(missing, ordersAtOnce, async (refund) => {
    const options = { key: `${source}/refund/${refund.creditNote}`, occurredAt: refund.at }
    await courier.send('POST', `/v1/orders/${refund.orderId}/import-refund`, refundBody(refund), options)
    onProgress(++done, missing.length)
  })
}
