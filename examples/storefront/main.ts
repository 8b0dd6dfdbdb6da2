import { ProblemError } from 'daybook/client'
import { accountPage, passwordPage } from './account-page.ts'
import { cartPage } from './cart-page.ts'
import { cataloguePage } from './catalogue-page.ts'
import { checkoutPage } from './checkout-page.ts'
import { byId, element } from './element.ts'
import { renderHeader } from './header.ts'
import { notice } from './notice.ts'
import { orderPage } from './order-page.ts'
import { ordersPage } from './orders-page.ts'
import { type Page, placeNow } from './page.ts'
import { productPage } from './product-page.ts'
import { text } from './texts.ts'

const pages: Readonly<Record<string, Page>> = {
  '': cataloguePage,
  product: productPage,
  cart: cartPage,
  checkout: checkoutPage,
  order: orderPage,
  orders: ordersPage,
  account: accountPage,
  confirm: passwordPage,
  reset: passwordPage,
}

let leaving = new AbortController()
let isFirst = true

function heading(title: string): HTMLHeadingElement {
  document.title = `${title} · ${text('shop')}`
  return element('h1', { tabindex: -1 }, title)
}

/** What is shown where a page can't be. */
function failed(error: unknown): HTMLElement[] {
  const isGone = error instanceof ProblemError && error.status === 404
  return [
    heading(isGone ? text('notThere') : text('somethingWrong')),
    notice(error, isGone ? undefined : () => void visit()),
    element('p', {}, element('a', { href: '#/', class: 'button' }, text('keepShopping'))),
  ]
}

/** Shows the page of the address. */
async function visit(): Promise<void> {
  leaving.abort()
  leaving = new AbortController()
  const { signal } = leaving
  const place = placeNow()
  const root = byId('main')
  const page = pages[place.parts[0] ?? '']
  root.replaceChildren(element('p', { class: 'loading' }, text('loading')))
  const shown = element('div', { class: 'page' })
  // What a page shows while it loads is seen at once.
  const watched = new MutationObserver(() => root.replaceChildren(shown))
  watched.observe(shown, { childList: true })
  try {
    if (!page) throw new ProblemError({ status: 404, headers: new Headers() }, { detail: text('notThere') }, undefined)
    await page({ ...place, root: shown, signal, titled: heading })
  } catch (error) {
    if (!signal.aborted) shown.replaceChildren(...failed(error))
  }
  watched.disconnect()
  if (signal.aborted) return
  root.replaceChildren(shown)
  // Not on arrival: a page that is opened is read from its beginning.
  if (!isFirst) shown.querySelector('h1')?.focus({ preventScroll: true })
  if (!isFirst) scrollTo({ top: 0 })
  isFirst = false
}

renderHeader()
addEventListener('hashchange', () => void visit())
void visit()
