import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import type { OpenShop } from '../integration/open-shop.ts'
import { stock } from '../integration/shop-client.ts'
import { desktop, openStorefront, phone, whyNotRun } from './browser.ts'

/** The page in a real browser, on a real shop. */

const goodCard = '4242 4242 4242 4242'
const patiently = { timeout: 20_000 }

async function addTeapot(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Blue teapot' }).click()
  await page.getByRole('heading', { name: 'Blue teapot' }).waitFor()
  await page.getByRole('button', { name: 'Add to cart' }).click()
  await page.getByRole('link', { name: 'Go to the cart' }).click()
}

async function fillAddress(page: Page): Promise<void> {
  await page.getByLabel('E-mail').fill('ada@example.com')
  await page.getByLabel('Name', { exact: true }).fill('Ada Lovelace')
  await page.getByLabel('Street and number').fill('Kanalstr. 1')
  await page.getByLabel('Postal code').fill('20095')
  await page.getByLabel('City').fill('Hamburg')
}

async function fillCard(page: Page, number: string): Promise<void> {
  await page.getByLabel('Card number').fill(number)
  await page.getByLabel('Expiry').fill('12/40')
  await page.getByLabel('Security code').fill('123')
}

/** Goes as far as the payment. */
async function order(page: Page): Promise<void> {
  await addTeapot(page)
  await page.getByRole('link', { name: 'Check out' }).click()
  await fillAddress(page)
  await page.getByRole('button', { name: 'Place order' }).click()
  await page.getByLabel('Card number').waitFor()
}

async function ordersOf(shop: OpenShop) {
  return (await shop.get('/v1/admin/orders')).items
}

/** How far the page moved by itself, as browsers measure it (CLS). */
async function watchShifts(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript({
    content: `shifted = 0
      new PerformanceObserver((list) => {
        for (const { hadRecentInput, value } of list.getEntries()) if (!hadRecentInput) shifted += value
      }).observe({ type: 'layout-shift', buffered: true })`,
  })
  await page.reload()
  return async () => Number(await page.evaluate('shifted'))
}

/** What WCAG 2.2 AA says against what is shown, as far as a program can see it. */
async function barriers(page: Page): Promise<readonly string[]> {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
  await page.evaluate(axe.source)
  const found = await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(tags)} }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`,
  )
  return Array.isArray(found) ? found : [String(found)]
}

describe.skipIf(whyNotRun !== '')(`the storefront${whyNotRun}`, { timeout: 90_000 }, () => {
  test.each([
    ['a phone', phone],
    ['a desktop', desktop],
  ])(
    'sells on %s: search, product, cart, address, shipping, card, and the order until it is paid',
    async (_on, viewport) => {
      const { shop, visit, complaints } = await openStorefront()
      await stock(shop)
      const page = await visit({ viewport })
      const shifted = await watchShifts(page)
      const fits = () => page.evaluate('document.documentElement.scrollWidth <= innerWidth')

      await page.getByRole('searchbox', { name: 'Search products' }).fill('teap')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Results for “teap”' }).waitFor()
      await page.getByText('€24.99').waitFor()
      expect(await fits()).toBe(true)

      await addTeapot(page)
      await page.getByRole('spinbutton', { name: 'Quantity of Blue teapot' }).fill('2')
      await page.keyboard.press('Tab')
      await page.getByText('€49.98').first().waitFor()
      expect(await fits()).toBe(true)
      await page.getByRole('link', { name: 'Check out' }).click()
      await fillAddress(page)
      await page.getByText('€54.88').waitFor()
      expect(await fits()).toBe(true)
      await page.getByRole('button', { name: 'Place order' }).click()
      await fillCard(page, goodCard)
      expect(await fits()).toBe(true)
      await page.getByRole('button', { name: 'Pay €54.88' }).click()
      await page.getByText('Your order is confirmed and paid').waitFor()
      await page.getByText('The order was paid').waitFor()

      expect(await ordersOf(shop)).toMatchObject([
        { status: 'confirmed', paymentStatus: 'captured', email: 'ada@example.com', totals: { total: 5488 } },
      ])
      expect(await page.locator('#pieces').textContent()).toBe('0')
      await page.getByRole('link', { name: 'My orders' }).click()
      await page.getByText('€54.88').waitFor()
      expect(await shifted()).toBeLessThan(0.1)
      expect(complaints).toEqual([])
    },
  )

  test('says that nothing was found, and leads back to all', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    await page.getByRole('searchbox').fill('submarine')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
    await page.getByRole('link', { name: 'Look at all products' }).click()
    await page.getByRole('link', { name: 'Blue teapot' }).waitFor()
  })

  test('speaks another language and sells in another currency', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    await shop.post('/v1/products/teapot/texts', {
      texts: { en: { title: 'Blue teapot', description: '' }, de: { title: 'Blaue Teekanne', description: '' } },
    })
    const page = await visit()
    await page.getByLabel('Language').selectOption('de')
    await page.getByRole('link', { name: 'Blaue Teekanne' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('de')
    expect(await page.getByText('24,99').textContent()).toMatch(/^24,99\s€$/)
    await page.getByLabel('Währung').selectOption('GBP')
    await page.getByRole('heading', { name: 'Nichts gefunden' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Nichts gefunden' }).waitFor()
  })

  test('says why a card was declined, and takes another one for the same order', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    await order(page)
    await fillCard(page, '1234 5678 9012 3456')
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.getByRole('alert').getByText('Only test cards work here.').waitFor()
    await fillCard(page, '4000 0000 0000 0002')
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.getByText('The payment failed: The card was declined.').waitFor()
    await fillCard(page, goodCard)
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.getByText('Your order is confirmed and paid').waitFor()
    expect(await ordersOf(shop)).toHaveLength(1)
  })

  test('marks what is sold out, and says so where the last one is gone meanwhile', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop, 1)
    const page = await visit()
    await addTeapot(page)
    await page.getByRole('link', { name: 'Check out' }).click()
    await fillAddress(page)
    await shop.post('/v1/stock-items/TEAPOT/adjust', { change: -1, reason: 'Broken', reference: 'B-1' })
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByText('not all of it is in stock any more').waitFor()
    await page.getByRole('link', { name: 'Look at all products' }).click()
    await page.getByText('Sold out').waitFor()
    await page.getByRole('link', { name: 'Blue teapot' }).click()
    await expect.poll(() => page.getByRole('button', { name: 'Add to cart' }).isDisabled(), patiently).toBe(true)
  })

  test('keeps the cart and what was typed when it is loaded anew in the middle of a checkout', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    await addTeapot(page)
    await page.getByRole('link', { name: 'Check out' }).click()
    await fillAddress(page)
    await page.reload()
    await page.getByText('1 × Blue teapot').waitFor()
    expect(await page.getByLabel('Street and number').inputValue()).toBe('Kanalstr. 1')
    expect(await page.getByLabel('E-mail').inputValue()).toBe('ada@example.com')
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByLabel('Card number').waitFor()
    await page.reload()
    await fillCard(page, goodCard)
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.getByText('Your order is confirmed and paid').waitFor()
    expect(await ordersOf(shop)).toHaveLength(1)
  })

  test('goes back by the button of the browser', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    await page.getByRole('searchbox').fill('teapot')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Results for' }).waitFor()
    await addTeapot(page)
    await page.getByRole('heading', { name: 'Cart' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'Blue teapot' }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'Results for' }).waitFor()
    await page.goForward()
    await page.getByRole('heading', { name: 'Blue teapot' }).waitFor()
    // An order is not placed again by going back.
    await page.goto(`${page.url().split('#')[0]}#/checkout`)
    await fillAddress(page)
    await page.getByRole('button', { name: 'Place order' }).click()
    await page.getByLabel('Card number').waitFor()
    await page.goBack()
    await expect.poll(() => ordersOf(shop).then((orders) => orders.length), patiently).toBe(1)
    await expect.poll(() => page.getByLabel('Street and number').count(), patiently).toBe(0)
  })

  test('orders once and pays once, however often the buttons are pressed', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    await addTeapot(page)
    await page.getByRole('link', { name: 'Check out' }).click()
    await fillAddress(page)
    await page.getByRole('button', { name: 'Place order' }).dblclick()
    await fillCard(page, goodCard)
    const pays: string[] = []
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/pay')) pays.push(request.url())
    })
    await page.getByRole('button', { name: /^Pay/ }).dblclick()
    await page.getByText('Your order is confirmed and paid').waitFor()
    expect(pays).toHaveLength(1)
    expect(await ordersOf(shop)).toMatchObject([{ paid: 2989 }])
  })

  test('can be used by the keyboard alone, and says where it is', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    const link = page.getByRole('link', { name: 'Blue teapot' })
    await link.waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to content')
    await link.focus()
    await page.keyboard.press('Enter')
    const heading = page.getByRole('heading', { name: 'Blue teapot' })
    await heading.waitFor()
    await expect.poll(() => page.evaluate('document.activeElement.textContent'), patiently).toBe('Blue teapot')
    expect(await page.title()).toContain('Blue teapot')
    await page.getByRole('button', { name: 'Add to cart' }).focus()
    await page.keyboard.press('Enter')
    await expect.poll(() => page.getByRole('status').first().textContent(), patiently).toContain('Added: Blue teapot')
  })

  test.each([
    ['a phone', phone],
    ['a desktop', desktop],
  ])(
    'opens an account on %s by the link of a mail, with the cart taken along, and logs out and in',
    async (_on, viewport) => {
      const { shop, visit, complaints } = await openStorefront()
      await stock(shop)
      const page = await visit({ viewport })
      await addTeapot(page)
      await page.getByRole('link', { name: 'Account' }).click()
      const register = page.locator('form').filter({ hasText: 'Open an account' })
      await register.getByLabel('Name').fill('Ada Lovelace')
      await register.getByLabel('E-mail').fill('ada@example.com')
      await register.getByRole('button').click()
      await page.getByRole('link', { name: 'Follow the link' }).click()
      await page.getByLabel('New password').fill('short')
      await page.getByRole('button', { name: 'Save password' }).click()
      expect(await page.evaluate('document.querySelector("input[name=newPassword]").validity.tooShort')).toBe(true)
      await page.getByLabel('New password').fill('correct horse battery staple')
      await page.getByRole('button', { name: 'Save password' }).click()
      await page.getByText('Welcome, Ada Lovelace.').waitFor()
      expect(page.url()).not.toContain('confirm=')
      // An access token is a JWT, whose first letters these are.
      expect(await page.evaluate('localStorage.getItem("session")')).not.toContain('"eyJ')
      await page.reload()
      await page.getByText('Welcome, Ada Lovelace.').waitFor()
      await expect.poll(() => page.locator('#pieces').textContent(), patiently).toBe('1')

      await page.getByRole('button', { name: 'Log out' }).click()
      const logIn = page.locator('form').filter({ has: page.getByRole('heading', { name: 'Log in' }) })
      await logIn.waitFor()
      await expect.poll(() => page.locator('#pieces').textContent(), patiently).toBe('0')
      expect(complaints).toEqual([])
      await logIn.getByLabel('E-mail').fill('ada@example.com')
      await logIn.getByLabel('Password').fill('wrong horse')
      await logIn.getByRole('button').click()
      await page.getByRole('alert').getByText('E-mail address or password is wrong').waitFor()
      await logIn.getByLabel('Password').fill('correct horse battery staple')
      await logIn.getByRole('button').click()
      await page.getByText('Welcome, Ada Lovelace.').waitFor()
      await page.getByRole('link', { name: /^Cart/ }).click()
      await page.getByRole('link', { name: 'Blue teapot' }).waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    },
  )

  test.each([['light'], ['dark']] as const)(
    'has no barriers that a program can find, in %s colours',
    async (colorScheme) => {
      const { shop, visit } = await openStorefront()
      await stock(shop)
      const page = await visit({ colorScheme, viewport: phone })
      await page.getByRole('link', { name: 'Blue teapot' }).waitFor()
      expect(await barriers(page)).toEqual([])
      await addTeapot(page)
      await page.getByRole('link', { name: 'Check out' }).waitFor()
      expect(await barriers(page)).toEqual([])
      await page.goBack()
      await page.getByRole('button', { name: 'Add to cart' }).waitFor()
      expect(await barriers(page)).toEqual([])
      await page.getByRole('link', { name: 'Account' }).click()
      await page.getByRole('heading', { name: 'Log in' }).waitFor()
      expect(await barriers(page)).toEqual([])
      await page.getByRole('link', { name: /^Cart/ }).click()
      await page.getByRole('link', { name: 'Check out' }).click()
      await fillAddress(page)
      expect(await barriers(page)).toEqual([])
      await page.getByRole('button', { name: 'Place order' }).click()
      await fillCard(page, '4000 0000 0000 0002')
      await page.getByRole('button', { name: /^Pay/ }).click()
      await page.getByText('The payment failed: The card was declined.').waitFor()
      expect(await barriers(page)).toEqual([])
      await page.getByRole('searchbox').fill('submarine')
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
      expect(await barriers(page)).toEqual([])
    },
  )

  test('leads to the bank where a payment must be approved there, and back', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    await order(page)
    await fillCard(page, '4000 0027 6000 3184')
    await page.getByRole('button', { name: /^Pay/ }).click()
    await page.getByRole('link', { name: 'Approve the payment' }).click()
    await page.getByRole('button', { name: /approve/i }).click()
    await page.getByText('Your order is confirmed and paid').waitFor()
  })

  test('says that the shop can not be reached, and goes on when it can', async () => {
    const { shop, visit } = await openStorefront()
    await stock(shop)
    const page = await visit()
    await page.getByRole('link', { name: 'Blue teapot' }).waitFor()
    await page.route(`${shop.url}/**`, (route) => route.abort())
    await page.getByRole('searchbox').fill('tea')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await page.unroute(`${shop.url}/**`)
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('link', { name: 'Blue teapot' }).waitFor()
  })
})
