import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asCustomer, asStaff, happenings, readModel } from 'daybook/testing'
import { giftCardEvents } from './gift-card.ts'
import { getGiftCard, giftCards, listGiftCards } from './gift-cards.ts'

const bought = { currency: 'EUR', customerId: 'ada', orderId: 'order-1' }
const first = happenings(giftCardEvents, 'first')
const second = happenings(giftCardEvents, 'second')

const cards = readModel(giftCards).given(
  first('GiftCardIssued', { ...bought, amount: 5000 }),
  second('GiftCardIssued', { ...bought, amount: 4000 }),
  first('GiftCardSpent', { amount: 3000, reference: 'till-1' }),
)

test('gift cards show what is left on them', async () => {
  await cards.expect({
    balances: {
      first: { id: 'first', ...bought, balance: 2000, revision: 1 },
      second: { id: 'second', ...bought, balance: 4000, revision: 0 },
    },
  })
})

test('a gift card is shown to who bought it, and does not exist for others', async () => {
  const asked = async (id: string) =>
    await cards.ask(getGiftCard, { giftCardId: 'first' }, { principal: asCustomer(id) })
  assert.deepEqual(await asked('ada'), { id: 'first', ...bought, balance: 2000, revision: 1 })
  assert.equal(await asked('eve'), undefined)
})

test('gift cards are listed by what is left on them', async () => {
  const page = await cards.ask(listGiftCards, { currency: 'EUR' }, { principal: asStaff('payments') })
  assert.partialDeepStrictEqual(page, { items: [{ id: 'second' }, { id: 'first' }] })
})
