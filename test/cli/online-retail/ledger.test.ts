import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readRetailFile } from '../../../src/cli/online-retail/file.ts'
import { goodsOf } from '../../../src/cli/online-retail/goods.ts'
import { ledgerOf } from '../../../src/cli/online-retail/ledger.ts'
import type { RetailLine } from '../../../src/cli/online-retail/line.ts'
import { figuresOfFile } from '../../../src/cli/online-retail/reconciliation.ts'
import { orderBody, piecesOf, productBody } from '../../../src/cli/online-retail/requests.ts'
import { countByReason, writeSetAside } from '../../../src/cli/online-retail/set-aside.ts'
import { orderCommands } from '../../../src/domain/order/commands.ts'
import { checkAmounts } from '../../../src/domain/pricing.ts'
import { productCommands } from '../../../src/domain/product.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'
import { line, writeSample } from './sample.ts'

async function sample() {
  const { path, remove } = temporaryDirectory()
  onTestFinished(remove)
  const { lines } = await readRetailFile(writeSample(path))
  return { lines, ledger: ledgerOf(lines), directory: path }
}

describe('the lines of a file', () => {
  test('are all imported or set aside', async () => {
    const { lines, ledger } = await sample()
    const sales = ledger.orders.flatMap((order) => order.lines)
    const credited = ledger.refunds.reduce((sum, { lineCount }) => sum + lineCount, 0)
    expect([sales.length, credited, ledger.setAside.length]).toEqual([13, 3, 8])
    expect(sales.length + credited + ledger.setAside.length).toBe(lines.length)
    expect(sales).toEqual(
      lines.filter(({ invoice, quantity, isPriced }) => !invoice.startsWith('C') && quantity > 0 && isPriced),
    )
  })

  test('are set aside for a reason', async () => {
    const { ledger } = await sample()
    const reasons = ledger.setAside.map((each) => [each.line.invoice, each.reason.split(':')[0], each.reason])
    expect(reasons).toEqual([
      ['536367', 'no price', 'no price: stock found or given away'],
      ['536368', 'no credit note', 'no credit note: stock written off'],
      ['C536379', 'credit note', 'credit note: a discount, of no order'],
      ['C536380', 'credit note', 'credit note: no earlier order has so many left'],
      ['C536381', 'credit note of a guest', 'credit note of a guest: its order is not known'],
      ['C536383', 'credit note', 'credit note: no earlier order has so many left'],
      ['C536384', 'credit note', 'credit note: no earlier order has so many left'],
      ['A563187', 'price below zero', 'price below zero: a correction of the books'],
    ])
    expect(countByReason(ledger.setAside)[0]).toEqual(['credit note: no earlier order has so many left', 3])
  })

  test('that are set aside are written down as they were', async () => {
    const { ledger, directory } = await sample()
    const file = join(directory, 'rejects.csv')
    writeSetAside(file, ledger.setAside)
    const [head, ...rows] = parse(readFileSync(file, 'utf8'))
    expect(head?.slice(0, 3)).toEqual(['Line', 'Reason', 'InvoiceNo'])
    expect(rows).toEqual(ledger.setAside.map((each) => [String(each.line.number), each.reason, ...each.line.fields]))
  })

  test('of one invoice are one order, placed at the time of the first', async () => {
    const { ledger } = await sample()
    expect(ledger.orders.map(({ id, at, month, customerId }) => [id, at, month, customerId])).toEqual([
      ['online-retail-536365', '2010-12-01T08:26:00.000Z', '2010-12', '17850'],
      ['online-retail-536366', '2010-12-02T10:00:00.000Z', '2010-12', undefined],
      ['online-retail-536369', '2010-12-03T09:00:00.000Z', '2010-12', '17850'],
      ['online-retail-536370', '2010-12-31T23:59:00.000Z', '2010-12', '12345'],
      ['online-retail-536371', '2011-01-04T12:00:00.000Z', '2011-01', '17850'],
    ])
  })

  test('of one invoice have one customer and one country', () => {
    expect(() => ledgerOf([line(), line({ number: 3, customerId: '1' })])).toThrow('see lines 2 and 3')
    expect(() => ledgerOf([line(), line({ number: 3, country: 'FR' })])).toThrow('see lines 2 and 3')
  })
})

describe('credit notes', () => {
  const sold = (invoice: string, day: number, quantity: number, changes: Partial<RetailLine> = {}) =>
    line({ invoice, quantity, at: `2010-12-0${day}T08:00:00.000Z`, ...changes })
  const back = (invoice: string, day: number, quantity: number, changes: Partial<RetailLine> = {}) =>
    sold(`C${invoice}`, day, -quantity, changes)
  const refundsOf = (...lines: RetailLine[]) =>
    ledgerOf(lines).refunds.map(({ creditNote, orderId, lines: taken, amount }) => [
      creditNote,
      orderId,
      taken.map(({ lineId, quantity }) => `${lineId}:${quantity}`).join(' '),
      amount,
    ])

  test('belong to the latest earlier order that has enough left', () => {
    expect(refundsOf(sold('1', 1, 5), sold('2', 2, 5), sold('3', 4, 5), back('9', 3, 2))).toEqual([
      ['C9', 'online-retail-2', '1:2', 510],
    ])
    expect(refundsOf(sold('1', 1, 5), sold('2', 2, 1), back('9', 3, 2))).toEqual([
      ['C9', 'online-retail-1', '1:2', 510],
    ])
  })

  test('take each piece once, in the order of their time and not of the file', () => {
    expect(refundsOf(sold('1', 1, 5), back('8', 4, 3), back('9', 3, 3))).toEqual([
      ['C9', 'online-retail-1', '1:3', 765],
    ])
    expect(refundsOf(sold('1', 1, 5), sold('1', 1, 2), back('9', 3, 3), back('8', 4, 4))).toEqual([
      ['C9', 'online-retail-1', '1:3', 765],
      ['C8', 'online-retail-1', '1:2 2:2', 1_020],
    ])
  })

  test('may be of several orders, and have several lines of one', () => {
    const lantern = { stockCode: '71053', unitPrice: 339 }
    expect(
      refundsOf(
        sold('1', 1, 5),
        sold('2', 2, 1, lantern),
        sold('2', 2, 1),
        back('9', 3, 2),
        back('9', 3, 1, lantern),
        back('9', 3, 1),
      ),
    ).toEqual([
      ['C9', 'online-retail-1', '1:2', 510],
      ['C9', 'online-retail-2', '1:1 2:1', 594],
    ])
  })

  test.each<[string, Partial<RetailLine>]>([
    ['customer', { customerId: '1' }],
    ['country', { country: 'FR' }],
    ['code, whose case counts', { stockCode: '85123a' }],
    ['price', { unitPrice: 254 }],
  ])('are not of an order of another %s', (_what, changes) => {
    expect(refundsOf(sold('1', 1, 5), back('9', 3, 2, changes))).toEqual([])
  })
})

describe('what is sent', () => {
  test('keeps codes apart that differ by case alone, and publishes no fees', async () => {
    const { ledger } = await sample()
    const products = [...goodsOf(ledger.orders).values()].map(productBody)
    for (const { id: _id, ...body } of products) productCommands.CreateProduct.parse(body)
    expect(products.map(({ id, slug, publish }) => [id, slug, publish])).toEqual([
      ['online-retail-85123A', 'white-hanging-heart-85123a', true],
      ['online-retail-71053', 'white-metal-lantern-71053', true],
      ['online-retail-POST', 'postage-post', false],
      ['online-retail-85123a', 'heart-white-85123a', true],
      ['online-retail-BANK~20CHARGES', 'bank-charges-bank-charges', false],
      ['online-retail-gift_0001_40', 'dotcomgiftshop-gift-voucher-40-00-gift-0001-40', true],
      ['online-retail-22423', 'regency-cakestand-22423', true],
    ])
    const twins = goodsOf(ledgerOf([line(), line({ stockCode: '85123a', description: '' })]).orders)
    expect([...twins.values()].map(({ slug, title }) => [slug, title])).toEqual([
      ['white-hanging-heart-85123a', 'WHITE HANGING HEART'],
      ['85123a-85123a', '85123a'],
    ])
    const named = goodsOf(ledgerOf([line(), line({ stockCode: '85123a' })]).orders)
    expect([...named.values()].map(({ slug }) => slug)).toEqual([
      'white-hanging-heart-85123a',
      'white-hanging-heart-85123a-2',
    ])
  })

  test('are orders whose amounts hold, that name their lines by number', async () => {
    const { ledger } = await sample()
    const goods = goodsOf(ledger.orders)
    const bodies = ledger.orders.map((order) => orderBody(order, goods))
    for (const { id: _id, ...body } of bodies) {
      const { lines, shipping, totals } = orderCommands.ImportOrder.parse(body)
      checkAmounts(lines, shipping, totals)
    }
    const [first, second] = bodies
    expect(first).toMatchObject({ customerId: '17850', buyer: 'member', totals: { total: 5_196, tax: 0 } })
    expect(first?.lines.map(({ lineId, sku }) => [lineId, sku])).toEqual([
      ['1', '85123A'],
      ['2', '71053'],
      ['3', '85123A'],
      ['4', 'POST'],
    ])
    expect(second).toMatchObject({ customerId: 'online-retail-guest-536366', buyer: 'guest' })
    expect(ledger.orders.slice(0, 1).map((order) => [...piecesOf(order, goods)])).toEqual([
      [
        ['85123A', 8],
        ['71053', 4],
      ],
    ])
  })
})

test('the figures of a file are by month and country', async () => {
  const { ledger } = await sample()
  const cells = figuresOfFile(ledger)
  const none = { unitsRefunded: 0, refunded: 0 }
  expect(cells.get('IE')).toEqual(new Map([['2010-12', { orders: 1, units: 8, revenue: 8_148, ...none }]]))
  expect(cells.get('all')?.get('2011-01')).toEqual({
    orders: 1,
    units: 13,
    revenue: 3_835,
    unitsRefunded: 4,
    refunded: 1_020,
  })
  expect(cells.get('GB')?.get('2011-01')).toEqual({
    orders: 0,
    units: 0,
    revenue: 0,
    unitsRefunded: 4,
    refunded: 1_020,
  })
  expect(cells.get('GB')?.get('2010-12')).toMatchObject({ orders: 3, unitsRefunded: 8, refunded: 2_124 })
})
