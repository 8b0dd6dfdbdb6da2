import type { EventSender } from './event-sender.ts'
import type { Call } from './grpc-server.ts'
import { CallFailure } from './grpc-server.ts'
import type { EventLog } from './log.ts'
import { indexOfRecord } from './read.ts'
import { caughtUp, checkpointAt } from './read-answer.ts'
import { pageSize, type ReadRequest } from './read-request.ts'
import { consumerTooSlow, streamDeleted } from './status.ts'

/** Subscriptions: what is in the log already, page by page, then `caughtUp`, then each event as it is appended. */

export interface SubscriptionLimits {
  /** How many events may wait for a reader that was caught up, before it is told to subscribe again. */
  readonly maxLiveBacklog: number
}

/** Feeds a subscription to the whole log until its call is over. */
export async function followAll(
  log: EventLog,
  { from, filter, checkpoints }: ReadRequest,
  call: Call,
  sender: EventSender,
  limits: SubscriptionLimits,
): Promise<void> {
  let index = from === 'start' ? 0 : from === 'end' ? log.events.length : afterRecord(log, from)
  let considered = 0

  /** @returns whether the end of the log was reached */
  async function sendPage(): Promise<boolean> {
    const window = checkpoints?.maxSearchWindow ?? Number.POSITIVE_INFINITY
    // Where nothing matches, a checkpoint is the beginning of the page: whoever goes on from it searches the page again.
    let position = log.events[index]?.position ?? log.end
    let found = 0
    let searched = 0
    let isAtEnd = false
    while (found < pageSize && searched < window) {
      const event = log.events[index]
      if (!event) {
        isAtEnd = true
        break
      }
      index++
      searched++
      if (!filter(event)) continue
      found++
      position = event.position
      if (!sender.add(event.frame)) await sender.ready()
    }
    considered += searched
    if (!isAtEnd && checkpoints && considered >= checkpoints.interval) {
      considered %= checkpoints.interval
      if (!sender.add(checkpointAt(position))) await sender.ready()
    }
    return isAtEnd
  }

  async function sendLive(): Promise<void> {
    for (let event = log.events[index]; event; event = log.events[index]) {
      index++
      if (filter(event) && !sender.add(event.frame)) await sender.ready()
      if (checkpoints && ++considered >= checkpoints.interval) {
        considered = 0
        if (!sender.add(checkpointAt(event.position))) await sender.ready()
      }
    }
    if (!sender.flush()) await sender.ready()
  }

  if (from !== 'end') while (!call.isOver && !(await sendPage()));
  sender.add(caughtUp())
  await live(log, call, sendLive, () => log.events.length - index > limits.maxLiveBacklog)
}

/** Feeds a subscription to one stream until its call is over; of a stream that isn't there yet it waits for the first event. */
export async function followStream(
  log: EventLog,
  name: string,
  { from }: ReadRequest,
  call: Call,
  sender: EventSender,
  limits: SubscriptionLimits,
  nowMs: () => number,
): Promise<void> {
  const lastRevision = () => log.stream(name)?.lastRevision ?? -1
  let revision = from === 'start' ? 0 : from === 'end' ? lastRevision() + 1 : from + 1
  let isCaughtUp = false

  async function send(): Promise<void> {
    const stream = log.stream(name)
    if (stream?.isTombstoned) throw new CallFailure(streamDeleted(name))
    if (stream && stream.lastRevision >= 0 && !stream.isDeleted) {
      if (!isCaughtUp && from !== 'end') revision = Math.max(revision, stream.firstRevision(nowMs()))
      for (; revision <= stream.lastRevision; revision++) {
        const event = stream.at(revision)
        if (event && !sender.add(event.frame)) await sender.ready()
      }
    }
    if (!isCaughtUp && (stream !== undefined || from === 'end')) {
      isCaughtUp = true
      sender.add(caughtUp())
    }
    if (!sender.flush()) await sender.ready()
  }

  await send()
  await live(log, call, send, () => lastRevision() - revision > limits.maxLiveBacklog)
}

/** Calls `send` after each append, one at a time, until the call is over or its reader is too slow. */
function live(log: EventLog, call: Call, send: () => Promise<void>, isTooSlow: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isSending = false
    let isScheduled = false
    const again = async () => {
      isScheduled = false
      isSending = true
      try {
        await send()
        isSending = false
      } catch (error) {
        stop()
        reject(error)
      }
    }
    // What is appended in one go is sent in one go.
    const onAppended = () => {
      if (isTooSlow() && isSending) {
        stop()
        reject(new CallFailure(consumerTooSlow()))
        return
      }
      if (isSending || isScheduled) return
      isScheduled = true
      setImmediate(() => void again())
    }
    const stop = log.onAppended(onAppended)
    call.onOver(() => {
      stop()
      resolve()
    })
    void again()
  })
}

/** A subscription goes on behind the record that it names. */
function afterRecord(log: EventLog, position: number): number {
  const index = indexOfRecord(log, position)
  return index < log.events.length ? index + 1 : index
}
