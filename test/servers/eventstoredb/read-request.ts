import streams, { type ReadReq } from '@eventstore/db-client/generated/streams_pb.js'
import { status as Code } from '@grpc/grpc-js'
import { type EventFilter, everyEvent, filterByStream, filterByType } from './event-filter.ts'
import { CallFailure } from './grpc-server.ts'

/** What a `ReadReq` asks for: a read or a subscription, of a stream or of the whole log. */
export interface ReadRequest {
  /** The stream, or nothing for the whole log. */
  readonly stream: string | undefined
  readonly from: number | 'start' | 'end'
  readonly direction: 'forwards' | 'backwards'
  /** How many events at most; nothing for a subscription. */
  readonly maxCount: number | undefined
  readonly filter: EventFilter
  /** How a subscription with a filter goes on where nothing matches; nothing without a filter. */
  readonly checkpoints: { readonly maxSearchWindow: number; readonly interval: number } | undefined
}

/** EventStoreDB's own page of a read, and how far it searches when the client does not say. */
export const pageSize = 32

/** Reads the request of a call. @throws CallFailure when it makes no sense, or asks for what only other clients do */
export function readRequest(request: ReadReq): ReadRequest {
  const options = request.getOptions()
  const stream = options?.getStream()
  const all = options?.getAll()
  if (!options || (!stream && !all)) throw invalid('A read names a stream or $all.')
  if (!options.getUuidOption()?.hasString()) throw invalid('The test server gives ids as text only.')
  const isSubscription = options.hasSubscription()
  const filter = options.getFilter()
  return {
    stream: stream && Buffer.from(stream.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString(),
    from: stream
      ? startOf(stream, () => Number(stream.getRevision()))
      : startOf(all, () => Number(all?.getPosition()?.getCommitPosition())),
    direction:
      options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS ? 'backwards' : 'forwards',
    maxCount: isSubscription ? undefined : Number(options.getCount()),
    filter: filter ? filterOf(filter) : everyEvent,
    checkpoints: filter && {
      maxSearchWindow: filter.hasMax() ? filter.getMax() : pageSize,
      interval: (filter.hasMax() ? filter.getMax() : pageSize) * filter.getCheckpointintervalmultiplier(),
    },
  }
}

function startOf(
  options: { hasStart(): boolean; hasEnd(): boolean } | undefined,
  number: () => number,
): number | 'start' | 'end' {
  if (!options || options.hasStart()) return 'start'
  return options.hasEnd() ? 'end' : number()
}

function filterOf(filter: ReadReq.Options.FilterOptions): EventFilter {
  const byType = filter.getEventType()
  const byStream = filter.getStreamIdentifier()
  if (byType) return filterByType(byType.getRegex(), byType.getPrefixList())
  if (byStream) return filterByStream(byStream.getRegex(), byStream.getPrefixList())
  throw invalid('A filter is by event type or by stream.')
}

function invalid(message: string): CallFailure {
  return new CallFailure({ code: Code.INVALID_ARGUMENT, message })
}
