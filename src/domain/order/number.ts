import { derivedId } from '../../engine/streams.ts'

/** Without I, L, O and U, which are misread or misheard (Crockford). */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The number of an order as people read it out, such as `D-7KQ4-M2XA`. It follows from the order's id and says nothing about how many there are. */
export function orderNumber(orderId: string): string {
  const hash = derivedId('order-number', orderId).replaceAll('-', '')
  let rest = BigInt(`0x${hash.slice(0, 10)}`) // 40 bits: eight digits of five
  let number = ''
  for (let place = 0; place < 8; place++) {
    number = digits.charAt(Number(rest % 32n)) + number
    rest /= 32n
  }
  return `D-${number.slice(0, 4)}-${number.slice(4)}`
}
