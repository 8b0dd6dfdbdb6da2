import { hash } from 'node:crypto'
import { parse } from 'uuid'

/** Name of the stream of an aggregate. The category has no dash, so the id is all behind the first. */
export function streamName(category: string, id: string): string {
  return `${category}-${id}`
}

export function categoryOf(stream: string): string {
  return stream.slice(0, stream.indexOf('-'))
}

/** The id of the aggregate that a stream belongs to. */
export function idOf(stream: string): string {
  return stream.slice(stream.indexOf('-') + 1)
}

const namespace = Buffer.from(parse('0b6cd2b5-3c10-4b0e-9d0b-6d61c1a2f1de'))

/**
 * An id that follows from what it comes from (UUIDv5, RFC 9562, section 5.5): the same parts give the same id, everywhere
 * and for ever. Each event and each command has one, so it is made here: the library takes five times as long.
 */
export function derivedId(...parts: readonly (string | number)[]): string {
  const hex = hash('sha1', Buffer.concat([namespace, Buffer.from(JSON.stringify(parts))]), 'hex')
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0b0011) | 0b1000).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
