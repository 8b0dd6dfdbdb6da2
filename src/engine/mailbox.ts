import { type Clock, pause } from './clock.ts'
import { type Answer, byteSize, type Command, newEvents } from './command.ts'
import { type Fact, lookUpFacts } from './decider.ts'
import { ConflictError, InDoubtError, PreconditionError, UnavailableError } from './errors.ts'
import { type AppendResult, type EventStore, maxAppendBytes, type NewEvent } from './event-store.ts'
import type { Folds, StreamFold } from './folds.ts'
import { type SpanDetails, type TracedWait, traced } from './tracing.ts'
import type { Turns } from './turns.ts'

/** A command that waits in a mailbox for its answer. */
export interface Waiting {
  readonly command: Command
  /** Where somebody records it. */
  readonly trace?: TracedWait
  resolve(answer: Answer): void
  reject(error: unknown): void
}

export interface MailboxOptions {
  readonly store: EventStore
  readonly folds: Folds
  readonly clock: Clock
  /** From 0 to below 1: the jitter of waits comes from it. */
  readonly random: () => number
  /** Turns at the stream, where other processes write too. */
  readonly turns: Turns | undefined
  /** Most commands that are decided for one append. */
  readonly maxBatch: number
  /** Tries after conflicts before the commands are answered 503. */
  readonly maxTries: number
}

export interface Mailbox {
  /** Adds a command to the queue. */
  send(waiting: Waiting): void
  /** Resolves when the append under way, if there is one, is in the stream's fold or has failed. */
  settled(): Promise<void>
}

/** What became of a command in a round: it is told to nobody before the round's events are durable. */
type Outcome =
  | { readonly kind: 'accepted'; readonly waiting: Waiting; readonly lastEvent: number }
  | { readonly kind: 'known'; readonly waiting: Waiting; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly waiting: Waiting; readonly error: unknown }

interface Round {
  readonly outcomes: Outcome[]
  readonly events: NewEvent[]
  readonly commandOf: Waiting[]
  state: unknown
  bytes: number
}

/** What is done for a command is a part of its span, whoever began the batch. */
function within({ trace }: Waiting): SpanDetails {
  return trace ? { parent: trace.within } : {}
}

/**
 * Decides the commands for one stream, one after another on the evolving state, and appends the events of all that
 * came in while the last append was under way in one append.
 * @param stream the stream's name
 * @param onIdle called when nothing waits any more
 */
export function mailbox(options: MailboxOptions, stream: string, onIdle: () => void): Mailbox {
  const { store, folds, clock, random, turns, maxBatch, maxTries } = options
  let queue: Waiting[] = []
  let running = false
  let round: Promise<void> = Promise.resolve()

  async function run(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, maxBatch)
      const next = answerBatch(batch)
      round = next
      await next
      if (turns) await turns.giveWay()
    }
    running = false
    onIdle()
  }

  async function answerBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const left = await decideAndAppend(batch)
      queue = left.length > 0 ? [...left, ...queue] : queue
    } catch (error) {
      for (const waiting of batch) waiting.reject(error)
    }
  }

  /** Answers a batch; returns those that did not fit into one append. */
  async function decideAndAppend(batch: readonly Waiting[]): Promise<readonly Waiting[]> {
    const [first] = batch
    if (first === undefined) return []
    for (const { trace } of batch) trace?.end()
    const { decider, target } = first.command
    const known = folds.cached(stream)
    let proven = !turns || turns.hasGivenWay() || known === undefined
    let fold = await traced(
      'load',
      () => ({ ...within(first), attributes: { 'daybook.cached': known !== undefined } }),
      () => (turns && proven ? folds.refresh(decider, target) : folds.load(decider, target)),
    )
    if (turns?.hasGivenWay()) turns.looked(known !== undefined && fold.revision > known.revision)
    for (let tries = 1; ; tries++) {
      const beganMs = clock.monotonic()
      const { round, left } = await decideAll(fold, batch)
      if (round.events.length === 0 && !proven) {
        // Where others write too, a decision that appends nothing proves nothing before the newest events are read.
        const newest = await folds.refresh(decider, target)
        proven = true
        if (newest.revision !== fold.revision) {
          fold = newest
          continue
        }
      }
      if (round.events.length === 0) {
        for (const outcome of round.outcomes) settle(outcome, fold, [])
        return left
      }
      try {
        const { revision } = fold
        const result = await traced(
          'append',
          () => ({
            ...within(round.commandOf[0] ?? first),
            attributes: { 'daybook.events': round.events.length, 'daybook.bytes': round.bytes },
            alsoFor: round.commandOf.map(({ command }) => command.correlationId),
          }),
          () => appendSurely(revision, round.events),
        )
        turns?.won(clock.monotonic() - beganMs)
        commit(fold, round, result)
        return left
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        if (tries >= maxTries) {
          throw new UnavailableError('contention', 'Too many others write to the same thing. Try again.', 1, {
            cause: error,
          })
        }
        await turns?.lost(tries, clock.monotonic() - beganMs)
        fold = await folds.refresh(decider, target)
        proven = true
      }
    }
  }

  async function decideAll(
    fold: StreamFold,
    batch: readonly Waiting[],
  ): Promise<{ round: Round; left: readonly Waiting[] }> {
    const round: Round = { outcomes: [], events: [], commandOf: [], state: fold.state, bytes: 0 }
    for (const [index, waiting] of batch.entries()) {
      try {
        const known = alreadyDone(waiting, fold, round)
        if (known) {
          round.outcomes.push(known)
          continue
        }
        const { state } = round
        const events = await traced(
          `decide ${waiting.command.type}`,
          () => within(waiting),
          () => decideOne(waiting.command, fold.revision + round.events.length, state),
        )
        const bytes = byteSize(events)
        if (bytes > maxAppendBytes) {
          throw new PreconditionError(
            'command-too-large',
            'What this command asks for is too large for one step. Ask for less at once.',
          )
        }
        if (round.bytes + bytes > maxAppendBytes) return { round, left: batch.slice(index) }
        round.state = events.reduce((state, event) => waiting.command.decider.evolve(state, event), round.state)
        round.bytes += bytes
        for (const event of events) {
          round.events.push(event)
          round.commandOf.push(waiting)
        }
        round.outcomes.push({
          kind: 'accepted',
          waiting,
          lastEvent: events.length === 0 ? -1 : round.events.length - 1,
        })
      } catch (error) {
        round.outcomes.push({ kind: 'failed', waiting, error })
      }
    }
    return { round, left: [] }
  }

  /** The first answer of a command that is sent again, be it accepted before or in this very round. */
  function alreadyDone(waiting: Waiting, fold: StreamFold, round: Round): Outcome | undefined {
    const { command } = waiting
    const known = fold.recent.find(command.id)
    const lastEvent = round.commandOf.findLastIndex((other) => other.command.id === command.id)
    const hash = known ? known.hash : round.commandOf[lastEvent]?.command.hash
    if (!known && lastEvent < 0) return undefined
    if (hash !== command.hash) {
      throw new PreconditionError(
        'idempotency-key-reused',
        'This Idempotency-Key was used for another request. Use a new key for a new request.',
      )
    }
    if (!known) return { kind: 'accepted', waiting, lastEvent }
    return {
      kind: 'known',
      waiting,
      answer: { id: command.target, revision: known.revision, position: known.position },
    }
  }

  async function decideOne(command: Command, revision: number, state: unknown): Promise<readonly NewEvent[]> {
    if (command.expectedRevision !== undefined && command.expectedRevision !== revision) {
      throw new PreconditionError(
        'revision-mismatch',
        `It was changed meanwhile: it is at revision ${revision}. Read it again.`,
        { revision },
      )
    }
    const decision = command.decider.decisions.get(command.type)
    if (decision === undefined) throw new Error(`${command.decider.category} does not decide ${command.type}`)
    const recordedAt = new Date(clock.now()).toISOString()
    const context = {
      id: command.target,
      at: command.occurredAt ?? recordedAt,
      actor: command.actor,
      imported: command.imported ?? false,
    }
    const facts = decision.lookUp ? await lookUpFacts(decision.lookUp(command.data, state, context), stateOf) : {}
    return newEvents(command, decision.decide(command.data, state, { ...context, facts }), recordedAt)
  }

  async function stateOf({ decider, id }: Fact<unknown>): Promise<unknown> {
    return (store.soleWriter ? await folds.load(decider, id) : await folds.refresh(decider, id)).state
  }

  /**
   * Nothing else goes to the stream until the outcome of an append in doubt is known. That a repetition is refused
   * says nothing of the one before it.
   */
  async function appendSurely(expectedRevision: number, events: readonly NewEvent[]): Promise<AppendResult> {
    let isInDoubt = false
    for (let tries = 0; ; tries++) {
      try {
        return await store.append(stream, expectedRevision, events)
      } catch (error) {
        isInDoubt ||= error instanceof InDoubtError
        const isOver = error instanceof UnavailableError && error.code === 'log-closed'
        if (!isInDoubt || isOver || !(error instanceof InDoubtError || error instanceof UnavailableError)) throw error
        await pause(clock, Math.min(5_000, 50 * 2 ** tries) * (0.5 + random() / 2))
      }
    }
  }

  function commit(fold: StreamFold, round: Round, result: AppendResult): void {
    const next = {
      state: round.state,
      revision: result.revision,
      position: result.positions.at(-1) ?? fold.position,
      eventId: round.events.at(-1)?.id ?? fold.eventId,
      recent: fold.recent,
    }
    for (const outcome of round.outcomes) {
      const answer = settle(outcome, fold, result.positions)
      if (outcome.kind !== 'accepted' || outcome.lastEvent < 0 || answer === undefined) continue
      const { id, actor, hash } = outcome.waiting.command
      const { revision, position } = answer
      fold.recent.add(id, actor, { ...(hash !== undefined && { hash }), revision, position, at: clock.now() })
    }
    const { decider } = round.commandOf[0]?.command ?? {}
    if (decider) folds.keep(decider, stream, next)
  }

  function settle(outcome: Outcome, fold: StreamFold, positions: readonly number[]): Answer | undefined {
    if (outcome.kind === 'failed') {
      outcome.waiting.reject(outcome.error)
      return undefined
    }
    const answer = outcome.kind === 'known' ? outcome.answer : answerOf(outcome, fold, positions)
    outcome.waiting.resolve(answer)
    return answer
  }

  function answerOf(
    outcome: { waiting: Waiting; lastEvent: number },
    fold: StreamFold,
    positions: readonly number[],
  ): Answer {
    const id = outcome.waiting.command.target
    // What had nothing to do answers with all that the decision may have rested on.
    const last = outcome.lastEvent < 0 ? positions.length - 1 : outcome.lastEvent
    return { id, revision: fold.revision + last + 1, position: positions[last] ?? fold.position }
  }

  return {
    send(waiting) {
      queue.push(waiting)
      if (running) return
      running = true
      // A turn of the event loop lets what arrived together be decided together.
      queueMicrotask(() => void run())
    },
    settled: () => round,
  }
}
