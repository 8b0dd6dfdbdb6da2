import { element } from './element.ts'
import { countPieces } from './header.ts'
import { notice } from './notice.ts'
import { addressOf, type Page } from './page.ts'
import { money } from './preferences.ts'
import { type Cart, client, currentCart } from './shop.ts'
import { text } from './texts.ts'

/** What is shown where there is nothing to buy. */
function emptyCart(): HTMLElement[] {
  return [
    element('p', {}, text('cartEmpty')),
    element('p', {}, element('a', { href: '#/', class: 'button main' }, text('keepShopping'))),
  ]
}

/** The lines, the sum and the way on. @param change does something with the cart and shows it anew */
function filledCart(cart: Cart, change: (work: () => Promise<unknown>) => void): HTMLElement[] {
  const path = { cartId: cart.id }
  const lines = cart.lines.map(({ sku, productId, title, quantity, amount }) => {
    const pieces = element('input', {
      type: 'number',
      min: 1,
      max: 99,
      value: quantity,
      inputmode: 'numeric',
      'aria-label': text('quantityOf', { title }),
      on: {
        change() {
          if (!pieces.reportValidity()) return
          const body = { sku, quantity: pieces.valueAsNumber }
          change(() => client.post('/v1/carts/{cartId}/quantity', { path, body }))
        },
      },
    })
    const remove = element(
      'button',
      {
        type: 'button',
        class: 'plain',
        'aria-label': text('removeLine', { title }),
        on: { click: () => change(() => client.post('/v1/carts/{cartId}/remove-line', { path, body: { sku } })) },
      },
      text('remove'),
    )
    return element(
      'li',
      { class: 'line' },
      element('a', { href: addressOf(['product', productId]) }, title),
      pieces,
      element('span', { class: 'price' }, money(amount, cart.currency)),
      remove,
    )
  })
  return [
    element('ul', { class: 'lines' }, ...lines),
    element('p', { class: 'sum' }, text('subtotal'), ' ', element('strong', {}, money(cart.subtotal, cart.currency))),
    element('p', { class: 'quiet' }, text('taxIncluded')),
    element('p', {}, element('a', { href: '#/checkout', class: 'button main' }, text('checkout'))),
  ]
}

/** The cart. */
export const cartPage: Page = async ({ root, signal, titled }) => {
  const failure = element('div', {})
  const content = element('div', { 'aria-live': 'polite' })
  const heading = titled(text('cart'))

  async function show(): Promise<void> {
    const cart = await currentCart(signal)
    content.replaceChildren(...(cart && cart.lines.length > 0 ? filledCart(cart, change) : emptyCart()))
  }
  function change(work: () => Promise<unknown>): void {
    failure.replaceChildren()
    work()
      .then(show)
      .then(() => {
        // What had the focus may be gone with its line.
        if (document.activeElement === document.body) heading.focus()
        return countPieces()
      })
      .catch(async (error: unknown) => {
        failure.replaceChildren(notice(error))
        await show()
      })
      .catch((error: unknown) => failure.replaceChildren(notice(error)))
  }

  await show()
  root.append(heading, failure, content)
}
