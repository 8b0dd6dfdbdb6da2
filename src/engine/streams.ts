import { v5 } from 'uuid'

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

const namespace = '0b6cd2b5-3c10-4b0e-9d0b-6d61c1a2f1de'

/** An id that follows from what it comes from (UUIDv5, RFC 9562): the same parts give the same id, everywhere and for ever. */
export function derivedId(...parts: readonly (string | number)[]): string {
  return v5(JSON.stringify(parts), namespace)
}
