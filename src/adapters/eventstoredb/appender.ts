import { randomUUID } from 'node:crypto'
import { parseUUID } from '@eventstore/db-client/dist/utils/grpcUUID.js'
import type { BatchAppendResp } from '@eventstore/db-client/generated/streams_pb.js'
import type { Clock } from '../../engine/clock.ts'
import { UnavailableError } from '../../engine/errors.ts'
import type { AppendBacklog } from '../../engine/event-store.ts'
import { type Append, batchAppendRequest } from './append-request.ts'
import type { BatchAppendCall, Connection } from './connection.ts'
import { appendFailure, appendRefusal, inDoubt, notWritten } from './failures.ts'

export interface AppenderOptions {
  readonly connection: Pick<Connection, 'batchAppend'>
  readonly clock: Clock
  /** How long an append waits for its answer before it is in doubt. */
  readonly appendTimeoutMs: number
  /** What may wait for answers; beyond it an append is refused. */
  readonly maxAppendsUnderWay: number
  readonly maxBytesUnderWay: number
}

/** What the server says of an append that it has done, now or before. */
export interface Written {
  /** Revision of the last event. */
  readonly revision: number
  /** Position of the last event, if the server says it. */
  readonly position: number | undefined
}

/** Sends appends one after another on one call, without waiting for the answers of those before. */
export interface Appender {
  /**
   * Each append has a timer of its own, for the call has none.
   * @throws ConflictError, InDoubtError, UnavailableError, CorruptLogError as the port's `append`
   */
  append(append: Append): Promise<Written>
  /** What waits for its answer. */
  backlog(): AppendBacklog
}

/** An append that takes up memory: until it is answered, or its call is over, even when nobody waits for it any more. */
interface Pending {
  readonly append: Append
  readonly request: Buffer
  readonly bytes: number
  /** Nobody waits for the answer any more. */
  isGivenUp: boolean
  settle(outcome: Written | Error): void
}

/** A call with the appends that wait for its answers: when it fails, no other call's appends are touched. */
interface OpenCall {
  readonly call: BatchAppendCall
  readonly pending: Map<string, Pending>
  answeredAtMs: number
  /** An append's time is over, and nothing has been answered since it was sent. */
  isStalled: boolean
  isOver: boolean
}

/** Starts without a call; the first append opens one, and so does the first after a failure. */
export function appender(options: AppenderOptions): Appender {
  const { connection, clock, appendTimeoutMs, maxAppendsUnderWay, maxBytesUnderWay } = options
  const nextCorrelationId = correlationIds()
  let current: OpenCall | undefined
  let opening: Promise<OpenCall> | undefined
  let underWay = 0
  let bytesUnderWay = 0

  function release({ bytes }: Pending): void {
    underWay--
    bytesUnderWay -= bytes
  }

  async function open(): Promise<OpenCall> {
    const call = await connection.batchAppend()
    const answeredAtMs = clock.monotonic()
    const opened: OpenCall = { call, pending: new Map(), answeredAtMs, isStalled: false, isOver: false }
    call.on('data', (answer: BatchAppendResp) => answered(opened, answer))
    call.on('error', (error) => over(opened, error))
    call.on('end', () => over(opened, new Error('The server ended the call')))
    current = opened
    return opened
  }

  function over(opened: OpenCall, error: unknown): void {
    opened.isOver = true
    if (current === opened) current = undefined
    for (const pending of opened.pending.values()) {
      release(pending)
      pending.settle(appendFailure(error))
    }
    opened.pending.clear()
  }

  function remove(opened: OpenCall, id: string, pending: Pending): void {
    if (opened.pending.delete(id)) release(pending)
  }

  function answered(opened: OpenCall, answer: BatchAppendResp): void {
    opened.answeredAtMs = clock.monotonic()
    if (opened.isStalled) {
      opened.isStalled = false
      for (const [id, pending] of opened.pending) if (pending.isGivenUp) remove(opened, id, pending)
    }
    const id = parseUUID(answer.getCorrelationId()) ?? ''
    const pending = opened.pending.get(id)
    // Answered twice, or too late: whoever asked has been told something already.
    if (pending === undefined) return
    remove(opened, id, pending)
    pending.settle(outcomeOf(answer, pending.append))
  }

  function write(opened: OpenCall, id: string, pending: Pending): void {
    // A server that is silent gets one append at a time, to see whether it still is: all others would pile up here.
    const isProbed = opened.isStalled && [...opened.pending.values()].some(({ isGivenUp }) => !isGivenUp)
    if (opened.isOver || isProbed) {
      release(pending)
      pending.settle(notWritten(new Error('The server does not answer')))
      return
    }
    opened.pending.set(id, pending)
    opened.call.write(pending.request)
  }

  function timedOut(on: OpenCall | undefined, id: string, pending: Pending, askedAtMs: number): void {
    const error = new Error(`No answer came within ${appendTimeoutMs} ms`)
    pending.isGivenUp = true
    if (on === undefined) {
      pending.settle(notWritten(error))
      return
    }
    if (on.answeredAtMs <= askedAtMs) on.isStalled = true
    else remove(on, id, pending)
    pending.settle(inDoubt(error))
  }

  function send(append: Append, bytes: number): Promise<Written> {
    return new Promise<Written>((resolve, reject) => {
      const id = nextCorrelationId()
      const askedAtMs = clock.monotonic()
      let on: OpenCall | undefined
      const pending: Pending = {
        append,
        request: batchAppendRequest(id, append, clock.now()),
        bytes,
        isGivenUp: false,
        settle(outcome) {
          cancelTimer()
          if (outcome instanceof Error) reject(outcome)
          else resolve(outcome)
        },
      }
      const cancelTimer = clock.after(appendTimeoutMs, () => timedOut(on, id, pending, askedAtMs))
      underWay++
      bytesUnderWay += bytes

      function writeOn(opened: OpenCall): void {
        if (pending.isGivenUp) release(pending)
        else {
          on = opened
          write(opened, id, pending)
        }
      }

      if (current !== undefined) {
        writeOn(current)
        return
      }
      opening ??= open().finally(() => {
        opening = undefined
      })
      opening.then(writeOn, (error: unknown) => {
        release(pending)
        pending.settle(notWritten(error))
      })
    })
  }

  return {
    async append(append) {
      const bytes = append.events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length, 0)
      if (underWay >= maxAppendsUnderWay || bytesUnderWay + bytes > maxBytesUnderWay) {
        throw new UnavailableError('log-busy', 'Too many appends wait to be written. Try again.')
      }
      return send(append, bytes)
    },
    backlog: () => ({ appends: underWay, bytes: bytesUnderWay }),
  }
}

/** They need not be alike to nothing but one another, so that a part of a random UUID may count. */
function correlationIds(): () => string {
  const beginning = randomUUID().slice(0, -12)
  let number = 0
  return () => beginning + (number++).toString(16).padStart(12, '0')
}

function outcomeOf(answer: BatchAppendResp, { stream, expectedRevision }: Append): Written | Error {
  const [refusal, success] = [answer.getError(), answer.getSuccess()]
  if (refusal !== undefined) return appendRefusal(refusal, stream, expectedRevision)
  if (success === undefined) return inDoubt(new Error('The answer says nothing'))
  const position = success.getPosition()?.getCommitPosition()
  return {
    revision: Number(success.getCurrentRevision()),
    position: position === undefined ? undefined : Number(position),
  }
}
