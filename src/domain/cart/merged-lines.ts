/** What becomes of two carts of one person, when a guest logs in. */

interface Line {
  readonly sku: string
  readonly productId: string
  readonly quantity: number
}

export interface MergedLines<L extends Line> {
  /** Lines that the cart did not have. */
  readonly added: readonly L[]
  /** Lines that it had with fewer pieces, with the larger number. */
  readonly raised: readonly L[]
  /** What had no place: the cart was full, or has this SKU of another product. */
  readonly left: readonly L[]
}

/**
 * Brings lines into a cart: of what is in both, the larger number of pieces stays. So somebody who fills a cart on two devices
 * does not buy everything twice, and merging again changes nothing.
 * @param lines of the cart
 * @param offered lines of the guest's cart, each SKU once
 * @param maxLines most lines that a cart can have
 */
export function mergedLines<L extends Line>(
  lines: readonly Line[],
  offered: readonly L[],
  maxLines: number,
): MergedLines<L> {
  const known = new Map(lines.map((line) => [line.sku, line]))
  const fresh = offered.filter(({ sku }) => !known.has(sku))
  const room = Math.max(0, maxLines - lines.length)
  const isOther = ({ sku, productId }: L) => known.get(sku)?.productId !== productId
  return {
    added: fresh.slice(0, room),
    raised: offered.filter((line) => !isOther(line) && line.quantity > (known.get(line.sku)?.quantity ?? 0)),
    left: [...fresh.slice(room), ...offered.filter((line) => known.has(line.sku) && isOther(line))],
  }
}
