import type { Ask } from './command.ts'
import type { Context, Decider, FactRequests, FactsOf } from './decider.ts'
import type { DomainEvent, EventDefinitions, EventOf, Recorded } from './events.ts'
import type { WorkOptions } from './job-queue.ts'

/** One piece of work: open from the event that asks for it to the event that settles it. */
export interface Work {
  /** Id of the aggregate that the work is done for. */
  readonly target: string
  /** Tells pieces of work of one kind for one aggregate apart, such as its refunds; '' where there can be only one. */
  readonly key: string
  /** ISO 8601. */
  readonly dueAt: string
}

export interface WorkInHand extends Work {
  /** The same for all tries: the idempotency key of calls to the outside. */
  readonly jobId: string
  /** 1 for the first try. */
  readonly attempt: number
  /** True for the last try before the job is set aside. */
  readonly last: boolean
}

/** A kind of work that happens by itself: a timer, or a call to the outside. */
export interface JobDefinition {
  readonly name: string
  readonly decider: Decider
  /** The work that an event opens, and the keys of what it settles. */
  opens(event: Recorded): Work | undefined
  settles(event: Recorded): Pick<Work, 'target' | 'key'> | undefined
  readonly types: ReadonlySet<string>
  /** Checked before each try: false when the work has been settled meanwhile. */
  isOpen(state: unknown, work: Work): boolean
  /** The facts of other streams that the work needs. */
  lookUp?(state: unknown): FactRequests
  /**
   * Does the work, and says with which commands its outcome is recorded. Throws to be tried again later.
   * @param facts those that it has asked for, under the same names
   */
  run(state: unknown, work: WorkInHand, facts?: Context['facts']): Promise<readonly Ask[]>
  readonly work: WorkOptions
  /** Where it was set aside nobody can discard it: what the law asks for. */
  readonly mustBeDone?: true
}

type OnEvents<E extends DomainEvent, Result> = {
  readonly [Type in E['type']]?: (event: Recorded<Extract<E, { type: Type }>>) => Result
}
type OnEvent<Result> = { on(event: Recorded): Result }['on']

const defaultWork: WorkOptions = { concurrency: 32, maxAttempts: 12, backoffMs: 500, maxBackoffMs: 600_000 }

/**
 * Puts a kind of job together.
 * @param definition `of` is the aggregate that the work is done for, `opens` and `settles` say by event type what begins
 *   and ends it, `isOpen` whether the aggregate still waits for it, `lookUp` names what else it needs to know, `run` does it;
 *   with `mustBeDone` it can't be discarded where it fails
 */
export function job<
  State,
  const From extends readonly EventDefinitions[],
  Requests extends FactRequests = Readonly<Record<string, never>>,
>(definition: {
  readonly name: string
  readonly of: Decider<State>
  readonly from: From
  readonly opens: OnEvents<EventOf<From[number]>, Work | undefined>
  readonly settles: OnEvents<EventOf<From[number]>, Pick<Work, 'target' | 'key'> | undefined>
  readonly isOpen: (state: State, work: Work) => boolean
  readonly lookUp?: (state: State) => Requests
  readonly run: (state: State, work: WorkInHand, facts: FactsOf<Requests>) => Promise<readonly Ask[]>
  readonly work?: Partial<WorkOptions>
  readonly mustBeDone?: true
}): JobDefinition
export function job(definition: {
  readonly name: string
  readonly of: Decider
  readonly opens: Readonly<Record<string, OnEvent<Work | undefined> | undefined>>
  readonly settles: Readonly<Record<string, OnEvent<Pick<Work, 'target' | 'key'> | undefined> | undefined>>
  isOpen(state: unknown, work: Work): boolean
  lookUp?(state: unknown): FactRequests
  run(state: unknown, work: WorkInHand, facts?: Context['facts']): Promise<readonly Ask[]>
  readonly work?: Partial<WorkOptions>
  readonly mustBeDone?: true
}): JobDefinition {
  const { name, of, opens, settles, isOpen, lookUp, run, work, mustBeDone } = definition
  return {
    name,
    decider: of,
    types: new Set([...Object.keys(opens), ...Object.keys(settles)]),
    opens: (event) => opens[event.type]?.(event),
    settles: (event) => settles[event.type]?.(event),
    isOpen,
    ...(lookUp && { lookUp }),
    run,
    work: { ...defaultWork, ...work },
    ...(mustBeDone && { mustBeDone }),
  }
}

/** The id of a piece of work, the same in the log, the queue and at the outside. */
export function jobId(name: string, { target, key }: Pick<Work, 'target' | 'key'>): string {
  return key === '' ? `${name}:${target}` : `${name}:${target}:${key}`
}
