import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { daybook, readConfig } from 'daybook'
import { giftShop } from './gift-shop.ts'

test('a gift card that was never issued is not spent', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gift-shop-'))
  const config = readConfig({ DAYBOOK_DATA_DIR: directory, DAYBOOK_LOG_LEVEL: 'silent' })
  const shop = await daybook({ config, extensions: [giftShop] })
  try {
    const answer = await shop.api.inject({
      method: 'POST',
      url: '/v1/gift-cards/none/spend',
      headers: { authorization: `Bearer ${shop.adminToken}`, 'idempotency-key': 'spend-1' },
      payload: { amount: 1000, reference: 'till-1' },
    })
    assert.equal(answer.statusCode, 404)
    assert.equal(answer.json().code, 'gift-card-not-found')
  } finally {
    await shop.close()
    await rm(directory, { recursive: true })
  }
})
