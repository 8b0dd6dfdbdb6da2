import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { manualClock } from '../../manual-clock.ts'
import { cards, payment, type Sandbox, startSandbox } from './sandbox.ts'

const Redirected = z.object({
  status: z.literal('pending'),
  reference: z.string(),
  nextAction: z.object({ kind: z.literal('redirect'), url: z.string() }),
})

async function redirected({ gateway, token }: Sandbox) {
  const pay = payment(gateway)
  const { reference, nextAction } = Redirected.parse(await pay.authorise(await token(cards.redirect)))
  return { ...pay, reference, url: nextAction.url }
}

/** Presses a button of the page, as a browser would. */
function decide(url: string, decision: string): Promise<Response> {
  return fetch(url, { method: 'POST', body: new URLSearchParams({ decision }), redirect: 'manual' })
}

describe('a payment that needs an approval', () => {
  test('waits for it on a page, then is authorised, and the rest follows at once', async () => {
    const sandbox = await startSandbox()
    const { url, reference, capture } = await redirected(sandbox)
    expect(url).toBe(`${sandbox.url}/approvals/${reference}`)
    const page = await fetch(url)
    expect(page.headers.get('content-type')).toMatch('text/html')
    expect(page.headers.get('content-security-policy')).toMatch("default-src 'none'")
    expect(await page.text()).toMatch(/2500 minor units of EUR[\s\S]*<button name="decision" value="approve">/)
    expect(await sandbox.payment(reference)).toMatchObject({ status: 'pending' })

    const decided = await decide(url, 'approve')
    expect(decided.status).toBe(200)
    expect(await decided.text()).toMatch('You may close this page')
    expect(await sandbox.notice()).toMatchObject({ kind: 'authorised', reference, amount: 2500 })
    expect(await capture(reference)).toEqual({ status: 'succeeded', reference })
  })

  test('is refused when the shopper refuses', async () => {
    const sandbox = await startSandbox()
    const { url, reference } = await redirected(sandbox)
    await decide(url, 'refuse')
    const refused = { kind: 'authorisation-refused', reference, code: 'not-approved' }
    expect(await sandbox.notice()).toMatchObject(refused)
  })

  test('is decided once', async () => {
    const clock = manualClock()
    const sandbox = await startSandbox({ clock })
    const { url, reference } = await redirected(sandbox)
    await decide(url, 'approve')
    await decide(url, 'refuse')
    await clock.advance(0)
    expect((await decide(url, 'refuse')).status).toBe(200)
    await clock.advance(0)
    expect(await sandbox.payment(reference)).toMatchObject({ status: 'authorised', notices: [{ kind: 'authorised' }] })
  })

  test.each(['before', 'after'])('is never authorised when it is cancelled %s the decision', async (when) => {
    const clock = manualClock()
    const sandbox = await startSandbox({ clock })
    const { url, reference, cancel } = await redirected(sandbox)
    if (when === 'after') await decide(url, 'approve')
    expect(await cancel(reference)).toEqual({ status: 'succeeded', reference })
    if (when === 'before') await decide(url, 'approve')
    await clock.advance(0)
    expect(await sandbox.payment(reference)).toMatchObject({ status: 'cancelled', authorised: 0, notices: [] })
  })

  test('takes the shopper back to the shop, but to nothing other than a web page', async () => {
    const sandbox = await startSandbox()
    const { url } = await redirected(sandbox)
    const back = encodeURIComponent('https://shop.example/orders/1?paid=1')
    const decided = await decide(`${url}?returnUrl=${back}`, 'approve')
    expect(decided.status).toBe(303)
    expect(decided.headers.get('location')).toBe('https://shop.example/orders/1?paid=1')
    expect((await fetch(`${url}?returnUrl=javascript:alert(1)`)).status).toBe(422)
    expect((await decide(`${url}?returnUrl=javascript:alert(1)`, 'approve')).status).toBe(422)
  })

  test('is at the public address if there is one', async () => {
    const sandbox = await startSandbox({ publicUrl: 'https://pay.example' })
    const { url, reference } = await redirected(sandbox)
    expect(url).toBe(`https://pay.example/approvals/${reference}`)
  })

  test('has no page where none was asked for', async () => {
    const sandbox = await startSandbox()
    const answer = await payment(sandbox.gateway).authorise(await sandbox.token(cards.never))
    const { reference } = z.object({ reference: z.string() }).parse(answer)
    expect((await sandbox.get(`/approvals/${reference}`)).status).toBe(404)
    expect((await decide(`${sandbox.url}/approvals/${reference}`, 'approve')).status).toBe(404)
    expect((await sandbox.get('/approvals/pay_of_nobody')).status).toBe(404)
  })
})
