import services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import { status as Code } from '@grpc/grpc-js'
import { appendAnswer, batchAppended, batchRefused } from './append-answer.ts'
import { type AppendOptions, readAppendRequest, readBatchAppendRequest } from './append-request.ts'
import { CallFailure, type Method } from './grpc-server.ts'
import type { EventLog } from './log.ts'
import type { ProposedEvent } from './recorded-event.ts'
import { maxAppendSizeExceeded } from './status.ts'

export interface AppendFaults {
  /** How an answer of a batch append is to be delivered. */
  deliveryOfNextAnswer(): 'once' | 'twice' | 'never'
}

interface PendingAppend {
  readonly options: AppendOptions
  readonly events: ProposedEvent[]
  bytes: number
}

/** `Append` and `BatchAppend`, as a node does them that is alone. */
export function appendMethods(
  log: EventLog,
  maxAppendBytes: number,
  faults: AppendFaults,
  nowMs: () => number,
): [path: string, method: Method][] {
  const batchAppend: Method = (call) => {
    const pending = new Map<string, PendingAppend>()
    let answers: Buffer[] = []
    let isEnding = false

    function flush(): void {
      const frames = answers
      answers = []
      if (frames.length > 0) call.send(frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames))
      if (isEnding) call.finish()
    }

    /** The answers of all that came in one go leave in one write. */
    function answer(frame: Buffer): void {
      if (answers.length === 0) setImmediate(flush)
      answers.push(frame)
    }

    return {
      message(bytes) {
        const { correlationId, options, events, isFinal } = readBatchAppendRequest(bytes)
        if (options) {
          if (options.deadlineMs !== undefined && options.deadlineMs <= nowMs()) {
            answer(batchRefused(correlationId, options, { kind: 'timeout' }))
            return
          }
          if (!pending.has(correlationId)) pending.set(correlationId, { options, events: [], bytes: 0 })
        }
        const append = pending.get(correlationId)
        // What follows a refused beginning is ignored.
        if (!append) return
        for (const event of events) {
          append.events.push(event)
          append.bytes += sizeOf(event)
        }
        if (append.bytes > maxAppendBytes) {
          pending.delete(correlationId)
          answer(batchRefused(correlationId, append.options, { kind: 'too-large', maxAppendBytes }))
          return
        }
        if (!isFinal) return
        pending.delete(correlationId)
        const { stream, expected } = append.options
        const invalid = append.events.find((event) => event.type === '' || event.id === '')
        const outcome = invalid
          ? ({ kind: 'bad-request', reason: 'Empty eventType provided.' } as const)
          : log.append(stream, expected, append.events)
        const frame =
          outcome.kind === 'appended'
            ? batchAppended(correlationId, stream, outcome)
            : batchRefused(correlationId, append.options, outcome)
        const delivery = faults.deliveryOfNextAnswer()
        if (delivery === 'never') return
        answer(frame)
        if (delivery === 'twice') answer(frame)
      },
      end() {
        isEnding = true
        if (answers.length === 0) flush()
      },
    }
  }

  const append: Method = (call) => {
    let options: AppendOptions | undefined
    const events: ProposedEvent[] = []
    let bytes = 0
    return {
      message(message) {
        const part = readAppendRequest(message)
        if (!('id' in part)) {
          options = part
          return
        }
        events.push(part)
        bytes += sizeOf(part)
        if (bytes > maxAppendBytes) throw new CallFailure(maxAppendSizeExceeded(maxAppendBytes))
      },
      end() {
        if (!options) throw new CallFailure({ code: Code.UNKNOWN, message: 'An append has no options.' })
        const frame = appendAnswer(options, log.append(options.stream, options.expected, events))
        if (faults.deliveryOfNextAnswer() === 'never') return
        call.send(frame)
        call.finish()
      },
    }
  }

  return [
    [services.StreamsService.append.path, append],
    [services.StreamsService.batchAppend.path, batchAppend],
  ]
}

/** What counts towards the greatest size of an append. */
function sizeOf(event: ProposedEvent): number {
  return event.data.length + event.metadata.length + event.type.length * 2
}
