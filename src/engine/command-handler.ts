import { LRUCache } from 'lru-cache'
import type { Clock } from './clock.ts'
import { type Answer, type Command, streamOf } from './command.ts'
import type { Decider } from './decider.ts'
import { UnavailableError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import type { CacheStatus, Fold, Folds } from './folds.ts'
import { type Mailbox, mailbox } from './mailbox.ts'
import { streamName } from './streams.ts'
import { beginWait, hereOr, isTracing, traced } from './tracing.ts'
import { type Turns, turns } from './turns.ts'

export interface CommandHandler {
  /**
   * Decides a command and appends its events; durable when it resolves.
   * @throws Rejection when a rule is broken
   * @throws PreconditionError for a reused id or a stale revision
   * @throws UnavailableError when it can't be decided now, or its outcome is not known in time; the same command may be sent again
   */
  handle(command: Command): Promise<Answer>
  /** The present state of an aggregate, with every event that a reader of the log can have seen. */
  fold<State>(decider: Decider<State>, id: string): Promise<Fold<State>>
  status(): HandlerStatus
}

/** What is under way in a command handler. */
export interface HandlerStatus {
  /** Commands that wait for an answer. */
  readonly waiting: number
  readonly waitingBytes: number
  /** Streams that they are for. */
  readonly streams: number
  readonly folds: CacheStatus
}

export interface CommandHandlerOptions {
  readonly store: EventStore
  readonly folds: Folds
  readonly clock: Clock
  /** From 0 to below 1; a simulation gives its own. */
  readonly random?: () => number
  /** Most commands that may wait in the process; beyond it the answer is 503. */
  readonly maxWaiting: number
  /** Most bytes that they may hold, as JSON: 64 MiB, if it is not given. */
  readonly maxWaitingBytes?: number
  readonly answerTimeoutMs: number
}

const rememberedTurns = 1_000

/** The way of every command: queued for its stream, decided, appended, answered. */
export function commandHandler(options: CommandHandlerOptions): CommandHandler {
  const { store, folds, clock, random = Math.random, maxWaiting, answerTimeoutMs } = options
  const { maxWaitingBytes = 64 * 1024 * 1024 } = options
  const mailboxes = new Map<string, Mailbox>()
  /** They outlive the mailboxes: a stream that is busy with others may have nothing to do here for a moment. */
  const turnsOf = new LRUCache<string, Turns>({ max: rememberedTurns })
  let waitingCount = 0
  let waitingBytes = 0

  function turnsAt(stream: string): Turns | undefined {
    if (store.soleWriter) return undefined
    const known = turnsOf.get(stream) ?? turns(clock, random)
    turnsOf.set(stream, known)
    return known
  }

  function mailboxOf(stream: string): Mailbox {
    const known = mailboxes.get(stream)
    if (known) return known
    const shared = { store, folds, clock, random, turns: turnsAt(stream), maxBatch: 1_000, maxTries: 200 }
    const made = mailbox(shared, stream, () => mailboxes.delete(stream))
    mailboxes.set(stream, made)
    return made
  }

  /** @throws UnavailableError when it takes longer than an answer may */
  async function withinTime(settling: Promise<void> | undefined): Promise<void> {
    if (settling === undefined) return
    await new Promise<void>((resolve, reject) => {
      const cancel = clock.after(answerTimeoutMs, () =>
        reject(new UnavailableError('busy', 'An earlier command is still being written. Try again.')),
      )
      void settling.then(() => {
        cancel()
        resolve()
      })
    })
  }

  function answered(command: Command): Promise<Answer> {
    const bytes = Buffer.byteLength(JSON.stringify(command.data))
    if (waitingCount >= maxWaiting || (waitingCount > 0 && waitingBytes + bytes > maxWaitingBytes)) {
      return Promise.reject(new UnavailableError('busy', 'Too many commands wait to be decided. Try again.'))
    }
    waitingCount++
    waitingBytes += bytes
    return new Promise<Answer>((resolve, reject) => {
      const cancelTimeout = clock.after(answerTimeoutMs, () =>
        reject(
          new UnavailableError(
            'outcome-unknown',
            'The outcome is not known yet. Send the same request again with the same Idempotency-Key.',
          ),
        ),
      )
      const settled = () => {
        cancelTimeout()
        waitingCount--
        waitingBytes -= bytes
      }
      mailboxOf(streamOf(command)).send({
        command,
        ...(isTracing() && { trace: beginWait() }),
        resolve(answer) {
          settled()
          resolve(answer)
        },
        reject(error) {
          settled()
          reject(error)
        },
      })
    })
  }

  return {
    handle: (command) =>
      traced(
        `handle ${command.type}`,
        () => ({
          parent: hereOr(command.correlationId),
          attributes: {
            'daybook.category': command.decider.category,
            'daybook.command.id': command.id,
            'daybook.correlation_id': command.correlationId,
            ...(command.causationId !== undefined && { 'daybook.causation_id': command.causationId }),
          },
        }),
        () => answered(command),
      ),

    async fold<State>(decider: Decider<State>, id: string): Promise<Fold<State>> {
      // Events reach readers as they are durable, which may be before the append that wrote them has come back here.
      await withinTime(mailboxes.get(streamName(decider.category, id))?.settled())
      const fold = store.soleWriter ? await folds.load(decider, id) : await folds.refresh(decider, id)
      // A stream's fold has the state of the decider that it was folded with.
      return fold as Fold<State>
    },

    status: () => ({ waiting: waitingCount, waitingBytes, streams: mailboxes.size, folds: folds.status() }),
  }
}
