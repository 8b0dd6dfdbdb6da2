import { type Clock, inTime, pause } from './clock.ts'
import type { Command } from './command.ts'
import type { CommandHandler } from './command-handler.ts'
import { deadLetter, deadLetterEvents } from './dead-letter.ts'
import { lookUpFacts } from './decider.ts'
import { NewerVersionError, PreconditionError, Rejection, UnavailableError } from './errors.ts'
import type { EventStore } from './event-store.ts'
import type { EventRegistry, Recorded } from './events.ts'
import { type JobDefinition, jobId, type Work } from './job.ts'
import { HopelessJobError, type Job, type JobQueue, PostponedJobError, type RunningJob } from './job-queue.ts'
import { type OpenWork, openWorkItems } from './open-work.ts'
import type { ReadModels } from './projections.ts'
import { derivedId } from './streams.ts'
import { consuming, traced, traceOf } from './tracing.ts'

export interface JobWorker {
  /**
   * Lets this worker put jobs into the queue as their events come by, and sweep, or leaves that to another: one of all workers
   * does it. What was opened before it began is swept.
   */
  setAlarm(isOn: boolean): Promise<void>
  /** Why it does no jobs: a newer version of Daybook has written, and does them. */
  failure(): string | undefined
  /** Takes no new jobs, and waits for those that run, but not for long: what hangs runs again after the next start. */
  stop(): Promise<void>
}

export interface JobWorkerOptions {
  readonly store: EventStore
  readonly queue: JobQueue
  readonly handler: CommandHandler
  readonly registry: EventRegistry
  readonly projections: Pick<ReadModels, 'reader' | 'waitFor'>
  readonly jobs: readonly JobDefinition[]
  readonly clock: Clock
  readonly sweepEveryMs: number
  /** Told when a try fails, a job is set aside, or a sweep can't be done. */
  readonly onFailure: (error: unknown, job: string) => void
}

const { DeadLetterRetried, DeadLetterDiscarded } = deadLetterEvents.schemas
const sweepPage = 500
const retryLetterMs = 1_000
const retryMs = 1_000
const longestStopMs = 3_000

/** What the job follows from; itself for one that an older version put into the queue. */
function correlationIdOf({ id, data: { correlationId } }: RunningJob): string {
  return typeof correlationId === 'string' ? correlationId : id
}

/**
 * Runs the jobs that the log has open. The queue is only an alarm clock: each job is put there as its event comes by,
 * and a sweep of the open work puts back what is missing.
 */
export function runJobs(options: JobWorkerOptions): JobWorker {
  const { store, queue, handler, registry, projections, jobs, clock, sweepEveryMs, onFailure } = options
  const byName = new Map(jobs.map((definition) => [definition.name, definition]))
  const stopping = new AbortController()

  function alarm(name: string, { target, key, dueAt }: Work, correlationId: string): Job {
    const data = { target, key, dueAt, correlationId }
    return { id: jobId(name, { target, key }), name, data, dueAt: Date.parse(dueAt) }
  }

  async function schedule(event: Recorded): Promise<void> {
    const opened = jobs.flatMap((definition) => {
      const work = definition.opens(event)
      return work ? [alarm(definition.name, work, event.metadata.correlationId)] : []
    })
    if (opened.length > 0) await queue.schedule(opened)
    const settled = jobs.flatMap((definition) => {
      const work = definition.settles(event)
      return work ? [jobId(definition.name, work)] : []
    })
    if (settled.length > 0) await queue.cancel(settled)
    if (event.type === 'DeadLetterRetried') {
      const { source, subject } = DeadLetterRetried.parse(event.data)
      if (source === 'job') await queue.revive(subject)
    }
    if (event.type === 'DeadLetterDiscarded') {
      const { work } = DeadLetterDiscarded.parse(event.data)
      if (work?.source === 'job') await queue.cancel([work.subject])
    }
  }

  let failure: string | undefined
  let workers: (() => Promise<void>)[] = []
  let ending: Promise<unknown> = Promise.resolve()

  /** What a newer version asks for is not for this one to try, and to set aside when it fails. */
  function giveUp({ message }: NewerVersionError): void {
    failure = message
    end()
  }

  function end(): void {
    stopping.abort()
    void stopAlarm()
    const all = workers
    workers = []
    ending = Promise.all([ending, ...all.map((stop) => stop())])
  }

  /** Puts jobs into the queue as their events come by. @param from the head of the log as it begins */
  async function follow(from: Promise<number>, ending: AbortSignal): Promise<void> {
    const types = new Set([
      'DeadLetterRetried',
      'DeadLetterDiscarded',
      ...jobs.flatMap((definition) => [...definition.types]),
    ])
    let reached = await from
    while (!ending.aborted) {
      try {
        for await (const batch of store.subscribe({ after: reached, filter: { types }, signal: ending })) {
          for (const event of batch.events) if (!event.metadata.imported) await schedule(registry.upcast(event))
          reached = batch.position
        }
      } catch (error) {
        onFailure(error, 'schedule')
        if (error instanceof NewerVersionError) return giveUp(error)
        await pause(clock, retryMs, ending)
      }
    }
  }

  /** Place of the log's last event, however long it takes to know it. */
  async function headOf(ending: AbortSignal): Promise<number> {
    while (!ending.aborted) {
      try {
        return (await store.head()).position
      } catch (error) {
        onFailure(error, 'schedule')
        await pause(clock, retryMs, ending)
      }
    }
    return 0
  }

  /** Puts back what the log has open and the queue does not know, or still calls dead though it is to be tried again. */
  async function sweep(ending: AbortSignal): Promise<void> {
    const reader = projections.reader('open-work')
    let after: readonly (string | number | boolean | null)[] | undefined
    for (;;) {
      const found = await reader.find(openWorkItems, { index: 'byDue', limit: sweepPage, ...(after && { after }) })
      const known = await queue.known(found.map(({ id }) => id))
      const missing = found.filter(
        ({ id, body }) => !known.has(id) && byName.has(body.job) && body.deadLetter !== 'open',
      )
      await queue.schedule(missing.map(({ body }: { body: OpenWork }) => alarm(body.job, body, body.correlationId)))
      for (const { id, body } of found) if (body.deadLetter === 'retried' && known.has(id)) await queue.revive(id)
      after = found.at(-1)?.key
      if (found.length < sweepPage || ending.aborted) return
    }
  }

  async function sweepOften(from: Promise<number>, ending: AbortSignal): Promise<void> {
    const head = await from
    const ended = new Promise<void>((resolve) => ending.addEventListener('abort', () => resolve()))
    // What was opened before the start is swept as soon as the read model has seen it.
    for (let isSeen = false; !ending.aborted; ) {
      try {
        if (!isSeen) await Promise.race([projections.waitFor('open-work', head, sweepEveryMs), ended])
        if (!ending.aborted) await sweep(ending)
        isSeen = true
      } catch (error) {
        const isBuilding = error instanceof UnavailableError && error.code === 'projection-building'
        if (!isBuilding) onFailure(error, 'sweep')
      }
      await pause(clock, isSeen ? sweepEveryMs : retryMs, ending)
    }
  }

  let ringing: AbortController | undefined
  let alarmEnded: Promise<unknown> = Promise.resolve()

  function startAlarm(): void {
    const own = new AbortController()
    ringing = own
    const before = alarmEnded
    const head = headOf(own.signal)
    alarmEnded = Promise.all([before, follow(head, own.signal), sweepOften(head, own.signal)])
  }

  async function stopAlarm(): Promise<void> {
    ringing?.abort()
    ringing = undefined
    await alarmEnded
  }

  async function run(definition: JobDefinition, running: RunningJob): Promise<void> {
    const { target, key, dueAt } = running.data
    if (typeof target !== 'string' || typeof key !== 'string' || typeof dueAt !== 'string') return
    const work = { target, key, dueAt }
    const last = running.attempt >= definition.work.maxAttempts
    const correlationId = correlationIdOf(running)
    const cause = { actor: { kind: 'process', id: definition.name } as const, correlationId }
    try {
      const { state } = await handler.fold(definition.decider, target)
      if (!definition.isOpen(state, work)) return
      const facts = await lookUpFacts(
        definition.lookUp?.(state) ?? {},
        async ({ decider, id }) => (await handler.fold(decider, id)).state,
      )
      const asks = await definition.run(state, { ...work, jobId: running.id, attempt: running.attempt, last }, facts)
      for (const [step, asked] of asks.entries()) {
        await handler.handle({ ...asked, ...cause, id: derivedId(running.id, dueAt, asked.type, step) })
      }
    } catch (error) {
      if (error instanceof PostponedJobError) throw error
      onFailure(error, definition.name)
      if (error instanceof NewerVersionError) {
        giveUp(error)
        throw error
      }
      const isHopeless = error instanceof Rejection || error instanceof PreconditionError
      if (!last && !isHopeless) throw error
      await setAside(definition, running.id, dueAt, correlationId, error)
      throw new HopelessJobError(error instanceof Error ? error.message : String(error), { cause: error })
    }
  }

  function runTraced(definition: JobDefinition, running: RunningJob): Promise<void> {
    const { name } = definition
    return traced(
      `process ${name}`,
      () => ({
        kind: 'consumer',
        parent: traceOf(correlationIdOf(running)),
        attributes: { ...consuming(name, running), 'daybook.attempt': running.attempt },
      }),
      () => run(definition, running),
    )
  }

  /** The queue may call a job dead only when the log says so, however long that takes: nobody would look for it otherwise. */
  async function setAside(
    { name, mustBeDone }: JobDefinition,
    subject: string,
    dueAt: string,
    correlationId: string,
    error: unknown,
  ): Promise<void> {
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 1_000)
    const id = derivedId(subject, dueAt, 'set-aside')
    const letter: Command = {
      decider: deadLetter,
      target: id,
      type: 'RaiseDeadLetter',
      data: { source: 'job', name, subject, dueAt, position: 0, reason, ...(mustBeDone && { mustBeDone }) },
      id: derivedId(id, clock.now()),
      actor: { kind: 'process', id: name },
      correlationId,
    }
    for (;;) {
      try {
        await handler.handle(letter)
        return
      } catch (failure) {
        onFailure(failure, name)
        if (failure instanceof NewerVersionError) giveUp(failure)
        // Interrupted like this, the job runs again after the next start.
        if (stopping.signal.aborted) throw failure
        await pause(clock, retryLetterMs, stopping.signal)
      }
    }
  }

  workers = jobs.map((definition) =>
    // Only this worker knows whether the log has the dead letter, so that the queue by itself calls no job dead.
    queue.work(definition.name, (running) => runTraced(definition, running), {
      ...definition.work,
      maxAttempts: Infinity,
    }),
  )

  return {
    failure: () => failure,
    async setAlarm(isOn) {
      if (isOn && ringing === undefined && !stopping.signal.aborted) startAlarm()
      if (!isOn && ringing !== undefined) await stopAlarm()
    },
    async stop() {
      end()
      await inTime(clock, longestStopMs, Promise.allSettled([alarmEnded, ending]))
    },
  }
}
