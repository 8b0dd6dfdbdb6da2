import { type Bound, indexRange } from '../../engine/index-range.ts'
import type { Find, IndexValue, SortKey } from '../../engine/read-store.ts'

/**
 * The key of a document in an index, as one string that sorts as the key does: a find is then one range of one field, which
 * every planner reads from the index alone, whatever is null, bounded or behind a cursor. MongoDB's own comparisons never
 * match null together with a type. Only characters are used that sort alike by UTF-8 bytes and by UTF-16 units.
 */

const tag = { null: '0', false: '1', true: '2', number: '3', string: '4' } as const
/** Above all tags: what follows a key that begins as another one is below it. */
const aboveAll = '5'
/** Below all that a string is written with: a string sorts before those that go on. */
const endOfString = '!'
const numberDigits = 16

/** Those that sort in between as they are; the others are written as a mark below or above them and a number. */
const needsMark = /[^#-\ud7fe]/gu
const markBelow = '"'
const belowDigits = 2
const markAbove = '\ud7ff'
const aboveDigits = 6
const marked = /"(?<below>[0-9a-f]{2})|\ud7ff(?<above>[0-9a-f]{6})/g

const bits = new DataView(new ArrayBuffer(8))
const signBit = 0x8000_0000

/** Writes a key, or the first values of one, with which whole keys then begin. */
export function keyText(values: SortKey): string {
  let text = ''
  for (const value of values) text += valueText(value)
  return text
}

/** Reads a key that `keyText` wrote. @throws RangeError for what it never writes */
export function keyValues(text: string): SortKey {
  const values: IndexValue[] = []
  for (let place = 0; place < text.length; ) {
    const kind = text[place++]
    if (kind === tag.null) values.push(null)
    else if (kind === tag.false || kind === tag.true) values.push(kind === tag.true)
    else if (kind === tag.number) {
      values.push(numberOf(text.slice(place, place + numberDigits)))
      place += numberDigits
    } else {
      const end = text.indexOf(endOfString, place)
      if (kind !== tag.string || end < 0) throw new RangeError(`${text} is no key of an index`)
      values.push(plain(text.slice(place, end)))
      place = end + 1
    }
  }
  return values
}

export interface KeyRange {
  /** The first text that is in it. */
  readonly from: string
  /** The first text behind it. */
  readonly before: string
}

/**
 * The texts of the keys that a find asks for; undefined if there are none.
 * @throws RangeError and TypeError as `indexRange`
 */
export function keyRange(fields: readonly string[], find: Find): KeyRange | undefined {
  const range = indexRange(fields, find)
  if (range === undefined) return undefined
  const start = keyText(range.equals)
  const { lower, upper } = range
  const textOf = ({ values }: Bound) => start + keyText(values)
  const from = lower === undefined ? start : textOf(lower) + (lower.inclusive ? '' : aboveAll)
  const before = upper === undefined ? start + aboveAll : textOf(upper) + (upper.inclusive ? aboveAll : '')
  return from < before ? { from, before } : undefined
}

function valueText(value: IndexValue): string {
  if (value === null) return tag.null
  if (typeof value === 'boolean') return value ? tag.true : tag.false
  if (typeof value === 'number') return tag.number + numberText(value)
  return tag.string + value.replace(needsMark, withMark) + endOfString
}

function withMark(character: string): string {
  const point = character.codePointAt(0) ?? 0
  return point < 0xd7ff
    ? markBelow + point.toString(16).padStart(belowDigits, '0')
    : markAbove + point.toString(16).padStart(aboveDigits, '0')
}

function plain(text: string): string {
  return text.replace(marked, (_, below, above) => String.fromCodePoint(Number.parseInt(below ?? above, 16)))
}

/** The bits of the number, turned so that they sort as it does: of a negative one all, of others the sign. */
function numberText(value: number): string {
  bits.setFloat64(0, value)
  const [high, low] = [bits.getUint32(0), bits.getUint32(4)]
  return high >= signBit ? hex(~high) + hex(~low) : hex(high ^ signBit) + hex(low)
}

function numberOf(text: string): number {
  const high = Number.parseInt(text.slice(0, numberDigits / 2), 16)
  const low = Number.parseInt(text.slice(numberDigits / 2), 16)
  bits.setUint32(0, high >= signBit ? high ^ signBit : ~high)
  bits.setUint32(4, high >= signBit ? low : ~low)
  return bits.getFloat64(0)
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(numberDigits / 2, '0')
}
