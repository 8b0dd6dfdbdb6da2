import { notFound, type Rejection, reject } from '../engine/errors.ts'
import { inLanguage } from './language.ts'
import type { Product } from './product.ts'
import type { ShippingMethod } from './shipping-method.ts'
import { Title } from './values.ts'

/** What the shop offers to somebody: titles in their language, prices in their currency. */

interface Shopper {
  readonly currency: string
  readonly language: string
}

function noPrice(currency: string, details: Readonly<Record<string, unknown>>): Rejection {
  const message = `This has no price in ${currency}. Choose something else, or another currency.`
  return reject('no-price-in-currency', message, { ...details, currency })
}

/** What a line shows and costs. @throws Rejection when it can't be sold */
export function offerOf(
  { status, texts, variants }: Product,
  productId: string,
  sku: string,
  { currency, language }: Shopper,
) {
  if (status !== 'published') throw notFound('product', productId)
  const variant = variants.get(sku)
  if (variant === undefined) throw notFound('variant', sku)
  const unitPrice = variant.prices[currency]
  if (unitPrice === undefined) throw noPrice(currency, { sku })
  const titles = [inLanguage(texts, language)?.title, variant.titles && inLanguage(variant.titles, language)]
  const title = titles.filter((part) => part !== undefined).join(', ')
  return { title: shortened(title), unitPrice }
}

/** Cut to what a title may have, but never within a character. */
function shortened(title: string): string {
  return title
    .slice(0, Title.maxLength ?? title.length)
    .replace(/[\uD800-\uDBFF]$/, '')
    .trimEnd()
}

/** Why a method can't be chosen; undefined if it can. */
export function shippingProblem(
  method: ShippingMethod,
  code: string,
  currency: string,
  country?: string,
): Rejection | undefined {
  if (method.status !== 'offered') return notFound('shipping-method', code)
  if (country !== undefined && method.countries.length > 0 && !method.countries.includes(country)) {
    return reject('shipping-not-to-country', 'This shipping method does not go there. Choose another.', {
      method: code,
      country,
    })
  }
  return method.prices[currency] === undefined ? noPrice(currency, { method: code }) : undefined
}

/** @throws Rejection when the method can't be chosen */
export function shippingOf(method: ShippingMethod, code: string, { currency, language }: Shopper, country?: string) {
  const problem = shippingProblem(method, code, currency, country)
  if (problem !== undefined) throw problem
  return { method: code, title: inLanguage(method.titles, language) ?? code, amount: method.prices[currency] ?? 0 }
}
