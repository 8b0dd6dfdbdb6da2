import { byId, element, fieldOf } from './element.ts'
import { addressOf, go, placeNow } from './page.ts'
import { currencies, currency, language, languages, prefer } from './preferences.ts'
import { client, currentCart, piecesOf } from './shop.ts'
import { text } from './texts.ts'

function choice(
  name: 'language' | 'currency',
  options: readonly (readonly [value: string, label: string])[],
  chosen: string,
): HTMLElement {
  const select = element('select', {
    name,
    on: {
      change() {
        prefer(name, select.value)
        renderHeader()
        go(location.hash || '#/')
      },
    },
  })
  for (const [value, label] of options) {
    select.append(element('option', { value, selected: value === chosen }, label))
  }
  return element('label', {}, element('span', { class: 'unseen' }, text(name)), select)
}

function searchForm(): HTMLFormElement {
  const form = element(
    'form',
    {
      role: 'search',
      on: {
        submit(event) {
          event.preventDefault()
          go(addressOf([], { q: fieldOf(form, 'q') }))
        },
      },
    },
    element('label', { class: 'unseen', for: 'q' }, text('searchLabel')),
    element('input', {
      type: 'search',
      id: 'q',
      name: 'q',
      maxlength: 100,
      value: placeNow().parameters.get('q') ?? '',
    }),
    element('button', { type: 'submit' }, text('search')),
  )
  return form
}

/** Shows the top of the page in the language that is chosen. */
export function renderHeader(): void {
  document.documentElement.lang = language()
  byId('skip').textContent = text('skip')
  byId('header').replaceChildren(
    element('a', { href: '#/', class: 'brand' }, text('shop')),
    searchForm(),
    element(
      'nav',
      { 'aria-label': text('shop') },
      choice('language', Object.entries(languages), language()),
      choice(
        'currency',
        currencies.map((each) => [each, each] as const),
        currency(),
      ),
      element('a', { href: '#/orders' }, text('orders')),
      element('a', { href: '#/account' }, text('account')),
      element('a', { href: '#/cart', class: 'cart' }, text('cart'), ' ', element('span', { id: 'pieces' }, '0')),
    ),
  )
  void countPieces()
}

/** Shows how many pieces are in the cart. */
export async function countPieces(): Promise<void> {
  try {
    byId('pieces').textContent = String(client.session() ? piecesOf(await currentCart()) : 0)
  } catch {
    // The page itself says what does not work.
  }
}
