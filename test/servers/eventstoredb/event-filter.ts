import type { RecordedEvent } from './recorded-event.ts'

/** Which events of the whole log a reader gets. */
export type EventFilter = (event: RecordedEvent) => boolean

/** Without a filter a reader gets everything but what the node keeps for itself; other system events are there. */
export const everyEvent: EventFilter = ({ stream }) => stream !== '$epoch-information'

/** By event type: a regular expression, or the beginnings of types if that is empty. */
export function filterByType(regex: string, prefixes: readonly string[]): EventFilter {
  const matches = textFilter(regex, prefixes)
  return (event) => everyEvent(event) && matches(event.type)
}

/** By the name of the stream. */
export function filterByStream(regex: string, prefixes: readonly string[]): EventFilter {
  const matches = textFilter(regex, prefixes)
  return (event) => everyEvent(event) && matches(event.stream)
}

function textFilter(regex: string, prefixes: readonly string[]): (text: string) => boolean {
  if (regex === '') return (text) => prefixes.some((prefix) => text.startsWith(prefix))
  const expression = new RegExp(regex)
  return (text) => expression.test(text)
}
