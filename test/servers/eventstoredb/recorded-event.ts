import { frameOf } from './grpc-frames.ts'
import { bytesField, numberField } from './protobuf.ts'

export interface ProposedEvent {
  readonly id: string
  readonly type: string
  readonly isJson: boolean
  readonly data: Buffer
  /** The event's own metadata, as bytes. */
  readonly metadata: Buffer
}

export interface RecordedEvent extends ProposedEvent {
  readonly stream: string
  readonly revision: number
  readonly position: number
  readonly createdMs: number
  /** The answer to readers that carries this event, framed for gRPC. */
  readonly frame: Buffer
}

const ticksPerMs = 10_000n
const jsonType = contentTypeOf('application/json')
const binaryType = contentTypeOf('application/octet-stream')

/**
 * The `ReadResp` that carries one event, framed for gRPC. It is the same for every reader of the event, whether it reads
 * the event's stream or the whole log, so it is made once.
 */
export function recordedEventFrame(event: Omit<RecordedEvent, 'frame'>): Buffer {
  const position = BigInt(event.position)
  const recorded = bytesField(
    1,
    bytesField(1, bytesField(2, event.id)),
    bytesField(2, bytesField(3, event.stream)),
    numberField(3, event.revision),
    numberField(4, position),
    numberField(5, position),
    metadataEntry('type', event.type),
    metadataEntry('created', String(BigInt(event.createdMs) * ticksPerMs)),
    event.isJson ? jsonType : binaryType,
    bytesField(7, event.metadata),
    bytesField(8, event.data),
  )
  return frameOf(bytesField(1, recorded, numberField(3, position)))
}

function contentTypeOf(contentType: string): Buffer {
  return metadataEntry('content-type', contentType)
}

function metadataEntry(key: string, value: string): Buffer {
  return bytesField(6, bytesField(1, key), bytesField(2, value))
}
