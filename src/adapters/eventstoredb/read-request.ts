import { createStreamIdentifier } from '@eventstore/db-client/dist/utils/grpcStreamIdentifier.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'

/** What EventStoreDB can be asked to read. A position is a commit position: the prepare position is always the same. */

export type ReadRequest = InstanceType<typeof streams.ReadReq>

/** What the server sends of the whole log: it looks at types by an expression, or at how names of streams begin. */
export type ServerFilter = { readonly types: string } | { readonly streamPrefixes: readonly string[] }

/** As many as there are. */
const all = Number.MAX_SAFE_INTEGER
/** How far the server searches at once, and how often in between it says how far it has come. */
const searchWindow = 1_000
const windowsOfCheckpoint = 10

/** A stream's events from a revision on. */
export function streamRequest(stream: string, fromRevision: number, maxCount = all): ReadRequest {
  const streamOptions = new streams.ReadReq.Options.StreamOptions()
  streamOptions.setStreamIdentifier(createStreamIdentifier(stream))
  streamOptions.setRevision(String(fromRevision))
  const options = optionsOf('forwards')
  options.setStream(streamOptions)
  options.setCount(String(maxCount))
  options.setNoFilter(new shared.Empty())
  return requestOf(options)
}

/** A stream's last events, the newest first. */
export function streamEndRequest(stream: string, maxCount: number): ReadRequest {
  const streamOptions = new streams.ReadReq.Options.StreamOptions()
  streamOptions.setStreamIdentifier(createStreamIdentifier(stream))
  streamOptions.setEnd(new shared.Empty())
  const options = optionsOf('backwards')
  options.setStream(streamOptions)
  options.setCount(String(maxCount))
  options.setNoFilter(new shared.Empty())
  return requestOf(options)
}

/** The event at a position, and others after it if there is room for them. */
export function allFromRequest(position: number, maxCount: number): ReadRequest {
  const options = optionsOf('forwards')
  options.setAll(allAt(position))
  options.setCount(String(maxCount))
  options.setNoFilter(new shared.Empty())
  return requestOf(options)
}

/** The events before a position, or before the end, the newest first. */
export function allBeforeRequest(position: number | 'end', maxCount: number): ReadRequest {
  const options = optionsOf('backwards')
  options.setAll(allAt(position))
  options.setCount(String(maxCount))
  options.setNoFilter(new shared.Empty())
  return requestOf(options)
}

/** All events after a position, then what is appended. */
export function subscriptionRequest(after: number, filter: ServerFilter | undefined): ReadRequest {
  const options = optionsOf('forwards')
  options.setAll(allAt(after === 0 ? 'start' : after))
  options.setSubscription(new streams.ReadReq.Options.SubscriptionOptions())
  if (filter === undefined) options.setNoFilter(new shared.Empty())
  else options.setFilter(filterOptions(filter))
  return requestOf(options)
}

function filterOptions(filter: ServerFilter): InstanceType<typeof streams.ReadReq.Options.FilterOptions> {
  const expression = new streams.ReadReq.Options.FilterOptions.Expression()
  const options = new streams.ReadReq.Options.FilterOptions()
  if ('types' in filter) {
    expression.setRegex(filter.types)
    options.setEventType(expression)
  } else {
    expression.setPrefixList([...filter.streamPrefixes])
    options.setStreamIdentifier(expression)
  }
  options.setMax(searchWindow)
  options.setCheckpointintervalmultiplier(windowsOfCheckpoint)
  return options
}

function allAt(position: number | 'start' | 'end'): InstanceType<typeof streams.ReadReq.Options.AllOptions> {
  const options = new streams.ReadReq.Options.AllOptions()
  if (position === 'start') options.setStart(new shared.Empty())
  else if (position === 'end') options.setEnd(new shared.Empty())
  else {
    const place = new streams.ReadReq.Options.Position()
    place.setCommitPosition(String(position))
    place.setPreparePosition(String(position))
    options.setPosition(place)
  }
  return options
}

function optionsOf(direction: 'forwards' | 'backwards'): InstanceType<typeof streams.ReadReq.Options> {
  const uuids = new streams.ReadReq.Options.UUIDOption()
  uuids.setString(new shared.Empty())
  const options = new streams.ReadReq.Options()
  options.setUuidOption(uuids)
  options.setResolveLinks(false)
  options.setReadDirection(direction === 'forwards' ? 0 : 1)
  return options
}

function requestOf(options: InstanceType<typeof streams.ReadReq.Options>): ReadRequest {
  const request = new streams.ReadReq()
  request.setOptions(options)
  return request
}
