import { announce, element, fieldOf } from './element.ts'
import { countPieces } from './header.ts'
import { attempt } from './notice.ts'
import type { Page } from './page.ts'
import { currency, language, money } from './preferences.ts'
import { picture } from './product-tile.ts'
import { addToCart, client } from './shop.ts'
import { text } from './texts.ts'

const fewPieces = 5

function stockText(quantity: number): string {
  if (quantity <= 0) return text('soldOut')
  return quantity <= fewPieces ? text('fewLeft', { n: String(quantity) }) : text('inStock')
}

/** A product, with what can be chosen of it. */
export const productPage: Page = async ({ root, signal, parts, titled }) => {
  const [, productId = ''] = parts
  const code = currency()
  const asked = { path: { productId }, query: { language: language(), currency: code }, signal }
  const product = await client.get('/v1/products/{productId}', asked)
  const sold = product.variants.filter(({ prices }) => prices[code] !== undefined)
  const first = sold.find(({ available }) => available) ?? sold[0]

  const variants = sold.map(({ sku, title, prices, available, availableQuantity }) =>
    element(
      'label',
      { class: 'option' },
      element('input', {
        type: 'radio',
        name: 'sku',
        value: sku,
        required: true,
        disabled: !available,
        checked: sku === first?.sku && available,
      }),
      element('span', {}, title ?? product.title),
      element('span', { class: 'price' }, money(prices[code] ?? 0, code)),
      element('span', { class: available ? 'stock' : 'stock badge' }, stockText(availableQuantity)),
    ),
  )
  const failure = element('div', {})
  const done = element('p', { class: 'done' })
  const add = element('button', { type: 'submit', class: 'main', disabled: !first?.available }, text('add'))
  const form = element(
    'form',
    {
      on: {
        submit(event) {
          event.preventDefault()
          done.replaceChildren()
          void attempt(add, failure, text('loading'), async () => {
            await addToCart(productId, fieldOf(form, 'sku'), Number(fieldOf(form, 'quantity')))
            const added = text('added', { title: product.title })
            done.append(added, element('a', { href: '#/cart' }, text('toCart')))
            announce(added)
            await countPieces()
          })
        },
      },
    },
    element('fieldset', {}, element('legend', {}, text('variant')), ...variants),
    element(
      'label',
      { class: 'field short' },
      text('quantity'),
      element('input', {
        type: 'number',
        name: 'quantity',
        value: 1,
        min: 1,
        max: 99,
        required: true,
        inputmode: 'numeric',
      }),
    ),
    add,
    failure,
    done,
  )
  root.append(
    element(
      'article',
      { class: 'product' },
      picture(product.id, product.title),
      element('div', {}, titled(product.title), element('p', {}, product.description), form),
    ),
  )
}
