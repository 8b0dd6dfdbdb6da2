import type { Item, paths } from 'daybook/client'
import { announce, element } from './element.ts'
import { notice } from './notice.ts'
import { addressOf, go, type Page, type Visit } from './page.ts'
import { currency, language, money } from './preferences.ts'
import { picture } from './product-tile.ts'
import { client } from './shop.ts'
import { text } from './texts.ts'

const pageSize = 24

function tile({ id, title, priceFrom, priceTo, available, currency: code }: Item<paths, '/v1/products'>): HTMLElement {
  const price = money(priceFrom, code)
  return element(
    'li',
    { class: 'tile' },
    element(
      'a',
      { href: addressOf(['product', id]) },
      picture(id, title),
      element('span', { class: 'title' }, title),
      element('span', { class: 'price' }, priceTo > priceFrom ? text('from', { price }) : price),
      element('span', { class: available ? 'unseen' : 'badge' }, available ? '' : text('soldOut')),
    ),
  )
}

function waitingTiles(count: number): HTMLElement[] {
  return Array.from({ length: count }, () =>
    element('li', { class: 'tile waiting', 'aria-hidden': 'true' }, element('span', { class: 'picture' })),
  )
}

async function categoryChoice({ parameters, signal }: Visit): Promise<HTMLElement> {
  const chosen = parameters.get('category') ?? ''
  const select = element('select', {
    id: 'category',
    on: {
      change() {
        go(addressOf([], { q: parameters.get('q') ?? '', category: select.value }))
      },
    },
  })
  select.append(element('option', { value: '' }, text('all')))
  const asked = { query: { language: language(), limit: 100 }, signal }
  for await (const { id, title, path } of client.paginate('/v1/categories', asked)) {
    select.append(element('option', { value: id, selected: id === chosen }, `${'– '.repeat(path.length - 1)}${title}`))
  }
  return select
}

/** The list of products: all, of a category, or what was searched for. */
export const cataloguePage: Page = async (visit) => {
  const { root, signal, parameters } = visit
  const q = parameters.get('q') ?? ''
  const category = parameters.get('category') ?? ''
  const heading = visit.titled(q === '' ? text('products') : text('found', { q }))
  const list = element('ul', { class: 'tiles', 'aria-busy': 'true' }, ...waitingTiles(pageSize))
  const filter = element('div', { class: 'filter' }, element('label', { for: 'category' }, text('category')))
  const below = element('div', { class: 'below' })
  root.append(heading, filter, list, below)

  const query = {
    currency: currency(),
    language: language(),
    limit: pageSize,
    ...(q !== '' && { q }),
    ...(category !== '' && { category }),
  }
  const products = client.paginate('/v1/products', { query, signal })
  const more = element('button', { type: 'button', on: { click: () => void showMore() } }, text('more'))

  /** Shows the next of them; the first ones take the place of what was waiting there. */
  async function showMore(): Promise<void> {
    try {
      const found: HTMLElement[] = []
      let isDone = false
      while (found.length < pageSize && !isDone) {
        const next = await products.next()
        if (next.done) isDone = true
        else found.push(tile(next.value))
      }
      list.querySelectorAll('.waiting').forEach((each) => {
        each.remove()
      })
      list.append(...found)
      list.removeAttribute('aria-busy')
      below.replaceChildren(...(isDone ? [] : [more]))
      if (list.childElementCount === 0) below.replaceChildren(...nothing())
      if (q !== '') announce(`${heading.textContent}: ${list.childElementCount}`)
    } catch (error) {
      if (signal.aborted) return
      list.replaceChildren()
      below.replaceChildren(notice(error, () => go(location.hash || '#/')))
    }
  }

  const [choice] = await Promise.all([categoryChoice(visit), showMore()])
  filter.append(choice)
}

function nothing(): HTMLElement[] {
  return [
    element('h2', {}, text('nothingFound')),
    element('p', {}, text('nothingFoundHint')),
    element('p', {}, element('a', { href: '#/', class: 'button' }, text('keepShopping'))),
  ]
}
