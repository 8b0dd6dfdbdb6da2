import { randomUUID } from 'node:crypto'
import services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import { createEventSender } from './event-sender.ts'
import { type Call, type Method, statusOf } from './grpc-server.ts'
import type { EventLog } from './log.ts'
import { readAll, readStream } from './read.ts'
import { subscriptionConfirmed } from './read-answer.ts'
import { readRequest } from './read-request.ts'
import { consumerTooSlow } from './status.ts'
import { followAll, followStream, type SubscriptionLimits } from './subscription.ts'

export interface ReadFaults {
  /** Is asked before each answer to a reader: shall the connection break here? */
  shouldCutRead(): boolean
  cut(): void
  /** Tells when a subscription is to end. @returns what ends that */
  onAbort(abort: () => void): () => void
}

/** `Read`, by which clients read and subscribe. */
export function readMethods(
  log: EventLog,
  limits: SubscriptionLimits,
  faults: ReadFaults,
  nowMs: () => number,
): [path: string, method: Method][] {
  async function answer(call: Call, bytes: Buffer): Promise<void> {
    const request = readRequest(services.StreamsService.read.requestDeserialize(bytes))
    const { stream, maxCount } = request
    const sender = createEventSender(
      call,
      () => faults.shouldCutRead(),
      () => faults.cut(),
    )
    if (maxCount === undefined) {
      endWhenAborted(call)
      sender.add(subscriptionConfirmed(randomUUID()))
      if (stream === undefined) await followAll(log, request, call, sender, limits)
      else await followStream(log, stream, request, call, sender, limits, nowMs)
    } else if (stream === undefined) {
      await readAll(log, request, sender)
    } else {
      await readStream(log, stream, request, sender, nowMs)
    }
    sender.flush()
    call.finish()
  }

  function endWhenAborted(call: Call): void {
    call.onOver(faults.onAbort(() => call.finish(consumerTooSlow())))
  }

  const read: Method = (call) => ({
    message(bytes) {
      answer(call, bytes).catch((error: unknown) => call.finish(statusOf(error)))
    },
    end() {},
  })
  return [[services.StreamsService.read.path, read]]
}
