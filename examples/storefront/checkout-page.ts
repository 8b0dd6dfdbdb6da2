import { ProblemError } from 'daybook/client'
import { element, fieldOf } from './element.ts'
import { countPieces } from './header.ts'
import { attempt } from './notice.ts'
import { addressOf, type Page } from './page.ts'
import { countryName, language, money } from './preferences.ts'
import { type Cart, client, currentCart } from './shop.ts'
import { text } from './texts.ts'

const countries = ['DE', 'FR', 'GB', 'US', 'AT', 'NL']
const outcomeSeconds = 10

/** What was typed, kept until the order is placed: a page that is loaded anew has it still. */
const draft = {
  key: 'checkout',
  read(): Readonly<Record<string, unknown>> {
    const kept: unknown = JSON.parse(sessionStorage.getItem(draft.key) ?? '{}')
    return typeof kept === 'object' && kept !== null ? { ...kept } : {}
  },
  write(form: HTMLFormElement): void {
    sessionStorage.setItem(draft.key, JSON.stringify(Object.fromEntries(new FormData(form))))
  },
  forget: () => sessionStorage.removeItem(draft.key),
}

const fields = [
  ['name', 'name', 200],
  ['line1', 'address-line1', 200],
  ['postalCode', 'postal-code', 20],
  ['city', 'address-level2', 200],
] as const

/** What is in the form before anything is typed: what was typed before, or what the cart has. */
function valuesOf(cart: Cart): (name: string) => string {
  const kept: Readonly<Record<string, unknown>> = {
    ...cart.shippingAddress,
    email: cart.email,
    country: cart.country,
    method: cart.shipping?.method,
    ...draft.read(),
  }
  return (name) => {
    const value = kept[name]
    return typeof value === 'string' ? value : ''
  }
}

/** The ways to send goods to a country. */
async function shippingChoice(
  cart: Cart,
  country: string,
  chosen: string,
  signal: AbortSignal,
): Promise<HTMLElement[]> {
  const query = { country, currency: cart.currency, language: language() }
  const answer = await client.get('/v1/shipping-methods', { query, signal })
  const items = answer.items.toSorted((one, other) => one.price - other.price)
  if (items.length === 0) return [element('p', { class: 'notice', role: 'alert' }, text('noShipping'))]
  const [first] = items
  const checked = items.some(({ id }) => id === chosen) ? chosen : first?.id
  return items.map(({ id, title, price, currency }) =>
    element(
      'label',
      { class: 'option' },
      element('input', {
        type: 'radio',
        name: 'method',
        value: id,
        required: true,
        checked: id === checked,
        'data-price': price,
      }),
      element('span', {}, title),
      element('span', { class: 'price' }, money(price, currency)),
    ),
  )
}

/** Places the order of a cart. @returns the order's id */
async function placeOrder(cart: Cart, form: HTMLFormElement, expectedTotal: number): Promise<string> {
  const path = { cartId: cart.id }
  const [name, line1, postalCode, city] = fields.map(([field]) => fieldOf(form, field))
  await client.post('/v1/carts/{cartId}/address', {
    path,
    body: {
      country: fieldOf(form, 'country'),
      email: fieldOf(form, 'email'),
      shippingAddress: { name: name ?? '', line1: line1 ?? '', postalCode: postalCode ?? '', city: city ?? '' },
    },
  })
  await client.post('/v1/carts/{cartId}/shipping', { path, body: { method: fieldOf(form, 'method') } })
  await client.post('/v1/carts/{cartId}/checkout', { path, body: { expectedTotal }, waitSeconds: outcomeSeconds })
  const { orderId } = await client.get('/v1/carts/{cartId}', { path })
  if (orderId === null) throw new TypeError('A cart that is checked out names its order')
  return orderId
}

/** Where the goods go and how, and the button that orders them. */
export const checkoutPage: Page = async ({ root, signal, titled }) => {
  const cart = await currentCart(signal)
  if (!cart || cart.lines.length === 0) return location.replace('#/cart')
  const value = valuesOf(cart)
  const failure = element('div', {})
  const methods = element('div', { class: 'methods' })
  const shippingCost = element('dd', {}, '–')
  const total = element('dd', { class: 'total' }, '–')
  const order = element('button', { type: 'submit', class: 'main' }, text('placeOrder'))
  const country = element(
    'select',
    { name: 'country', autocomplete: 'country', required: true },
    ...countries.map((code) =>
      element('option', { value: code, selected: code === value('country') }, countryName(code)),
    ),
  )
  const field = (label: string, name: string, rest: Readonly<Record<string, unknown>>) =>
    element('label', { class: 'field' }, label, element('input', { name, value: value(name), required: true, ...rest }))

  let totalNow = cart.subtotal
  function sum(): void {
    const price = Number(form.querySelector<HTMLInputElement>('[name=method]:checked')?.dataset.price ?? Number.NaN)
    const isKnown = Number.isFinite(price)
    totalNow = cart === undefined ? 0 : cart.subtotal + (isKnown ? price : 0)
    shippingCost.textContent = isKnown && cart ? money(price, cart.currency) : '–'
    total.textContent = cart ? money(totalNow, cart.currency) : '–'
    if (isKnown) order.removeAttribute('aria-disabled')
    else order.setAttribute('aria-disabled', 'true')
  }
  async function showMethods(open: Cart): Promise<void> {
    methods.replaceChildren(...(await shippingChoice(open, country.value, value('method'), signal)))
    sum()
  }

  const form = element(
    'form',
    {
      class: 'checkout',
      on: {
        input: () => draft.write(form),
        change(event) {
          if (event.target === country) void attempt(order, failure, text('loading'), () => showMethods(cart)).then(sum)
          else sum()
        },
        submit(event) {
          event.preventDefault()
          void attempt(order, failure, text('placing'), async () => {
            const orderId = await placeOrder(cart, form, totalNow).catch(async (error: unknown) => {
              // Somebody ordered this cart already: on another page, or by a button that was pressed as the page was left.
              const now = await client.get('/v1/carts/{cartId}', { path: { cartId: cart.id } })
              if (error instanceof ProblemError && now.orderId !== null) return now.orderId
              throw error
            })
            draft.forget()
            await countPieces()
            location.replace(addressOf(['order', orderId]))
          })
        },
      },
    },
    element(
      'fieldset',
      {},
      element('legend', {}, text('contact')),
      field(text('email'), 'email', { type: 'email', autocomplete: 'email', maxlength: 254 }),
    ),
    element(
      'fieldset',
      {},
      element('legend', {}, text('address')),
      ...fields.map(([name, autocomplete, maxlength]) => field(text(name), name, { autocomplete, maxlength })),
      element('label', { class: 'field' }, text('country'), country),
    ),
    element('fieldset', {}, element('legend', {}, text('shippingCost')), methods),
    element(
      'section',
      { class: 'totals' },
      element(
        'ul',
        {},
        ...cart.lines.map(({ title, quantity, amount }) =>
          element(
            'li',
            {},
            `${quantity} × ${title}`,
            element('span', { class: 'price' }, money(amount, cart.currency)),
          ),
        ),
      ),
      element(
        'dl',
        {},
        element('dt', {}, text('subtotal')),
        element('dd', {}, money(cart.subtotal, cart.currency)),
        element('dt', {}, text('shippingCost')),
        shippingCost,
        element('dt', {}, text('total')),
        total,
      ),
      element('p', { class: 'quiet' }, text('taxIncluded')),
      order,
      failure,
    ),
  )
  const heading = titled(text('checkout'))
  await showMethods(cart)
  root.append(heading, form)
}
