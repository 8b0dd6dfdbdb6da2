import { element } from './element.ts'
import { addressOf, type Page } from './page.ts'
import { moment, money } from './preferences.ts'
import { client } from './shop.ts'
import { text } from './texts.ts'

const shownOrders = 50

/** The visitor's orders, the newest first. */
export const ordersPage: Page = async ({ root, signal, titled }) => {
  const lines: HTMLElement[] = []
  if (client.session()) {
    for await (const { id, number, placedAt, totals, currency } of client.paginate('/v1/orders', { signal })) {
      const link = element('a', { href: addressOf(['order', id]) }, number)
      const total = element('span', { class: 'price' }, money(totals.total, currency))
      lines.push(
        element('li', { class: 'line' }, link, element('time', { datetime: placedAt }, moment(placedAt)), total),
      )
      if (lines.length === shownOrders) break
    }
  }
  root.append(titled(text('orders')))
  if (lines.length > 0) root.append(element('ul', { class: 'lines' }, ...lines))
  else
    root.append(
      element('p', {}, text('noOrders')),
      element('p', {}, element('a', { href: '#/', class: 'button' }, text('keepShopping'))),
    )
}
