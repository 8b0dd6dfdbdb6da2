/**
 * The wire format of protocol buffers, as far as the hot messages of the Streams protocol need it: an appended event is
 * read and its answer for readers is written straight from and to bytes, because the generated classes would take most
 * of the server's time.
 */

export interface Field {
  readonly number: number
  /** A varint's value, 0 for a field of bytes. */
  readonly value: number
  /** A field's bytes, empty for a varint. They are a view of what was read. */
  readonly bytes: Buffer
}

const noBytes = Buffer.alloc(0)

/**
 * Reads the fields of one message, in their order. Numbers are those that a JavaScript number holds.
 * @throws RangeError when the bytes are no message
 */
export function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++]
      if (byte === undefined) throw new RangeError('The message ends within a number.')
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const number = Math.floor(tag / 8)
    switch (tag % 8) {
      case 0:
        yield { number, value: varint(), bytes: noBytes }
        break
      case 2: {
        const length = varint()
        if (at + length > message.length) throw new RangeError('The message ends within a field.')
        yield { number, value: 0, bytes: message.subarray(at, at + length) }
        at += length
        break
      }
      default:
        throw new RangeError(`A field of wire type ${tag % 8} is not known here.`)
    }
  }
}

/** A number, written as a varint. @param value a safe integer, or a bigint of up to 64 bits */
export function numberField(number: number, value: number | bigint): Buffer {
  const bytes: number[] = [number * 8]
  let rest = BigInt(value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

/** Bytes, text, or a message inside another one, whose parts are given one after another. */
export function bytesField(number: number, ...parts: (Buffer | string)[]): Buffer {
  const length = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0)
  const field = Buffer.allocUnsafe(1 + varintLength(length) + length)
  field[0] = number * 8 + 2
  let at = 1
  let rest = length
  for (; rest > 127; rest = Math.floor(rest / 128)) field[at++] = (rest % 128) + 128
  field[at++] = rest
  for (const part of parts) at += typeof part === 'string' ? field.write(part, at) : part.copy(field, at)
  return field
}

function varintLength(value: number): number {
  let length = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++
  return length
}
