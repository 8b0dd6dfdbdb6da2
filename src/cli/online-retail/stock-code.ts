import { Sku } from '../../domain/values.ts'

/** Stock codes of the data set as SKUs: case counts in both, but a SKU has no spaces. */

const escapeSign = '~'

/**
 * The SKU of a stock code: the code itself, with `~` and the UTF-8 bytes in hexadecimal in the place of what a SKU
 * can't have. No two codes have the same: `~` itself is escaped, too, and `~~` stands only behind a first character
 * that a SKU can't begin with.
 * @returns undefined for a code that is empty or too long
 */
export function skuOf(stockCode: string): string | undefined {
  const escaped = stockCode.replaceAll(/[^A-Za-z0-9_.-]/gu, (character) =>
    Array.from(
      Buffer.from(character),
      (byte) => `${escapeSign}${byte.toString(16).padStart(2, '0').toUpperCase()}`,
    ).join(''),
  )
  return Sku.safeParse(
    /^[A-Za-z0-9]/.test(escaped) || escaped === '' ? escaped : `0${escapeSign}${escapeSign}${escaped}`,
  ).data
}

/** What the shop wrote lines of that is no goods: postage, fees, corrections by hand. */
const services = new Set(['AMAZONFEE', 'B', 'BANK CHARGES', 'C2', 'CRUK', 'D', 'DOT', 'M', 'm', 'POST', 'S'])

/** True for what has no stock. */
export function isService(stockCode: string): boolean {
  return services.has(stockCode)
}
