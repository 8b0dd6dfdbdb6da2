import { z } from 'zod'
import { decider } from './decider.ts'
import { notFound, reject } from './errors.ts'
import { defineEvents, type EventOf } from './events.ts'

/** Work that failed for good, set aside in the log so that an operator can mend its cause and retry it, or discard it. */

const Letter = {
  source: z
    .enum(['reaction', 'job'])
    .meta({ description: 'What failed: a process manager, or a job', example: 'reaction' }),
  name: z.string().max(100).meta({ description: 'Name of the process manager or job', example: 'fulfil-order' }),
  subject: z.string().max(300).meta({ description: 'Id of what it was done for', example: '0198f0c2-order' }),
  position: z.int().min(0).meta({
    description: 'Position of the event that was reacted to, in the log in which it was set aside; 0 for jobs',
    example: 4711,
  }),
  event: z
    .object({
      stream: z.string().meta({ description: 'Stream of the event', example: 'order-0198f0c2' }),
      revision: z.int().min(0).meta({ description: 'Its place in the stream, the same in every log', example: 3 }),
    })
    .exactOptional()
    .meta({ description: 'The event that was reacted to; absent for jobs, and for what was set aside long ago' }),
  dueAt: z.string().exactOptional().meta({
    description: 'When the job was due; absent for reactions, and for what was set aside long ago',
    example: '2026-01-15T09:30:00.000Z',
  }),
  reason: z
    .string()
    .max(1_000)
    .meta({ description: 'Why it failed', example: 'order-not-found: There is no such order.' }),
  mustBeDone: z.literal(true).exactOptional().meta({
    description: 'It can be retried, and not be discarded; absent for what can',
    example: true,
  }),
}

/** What tells whose work it was, so that those who did it need to ask nobody. */
const Work = {
  source: Letter.source,
  name: Letter.name,
  subject: Letter.subject,
  dueAt: Letter.dueAt,
}

// Events

export const deadLetterEvents = defineEvents('deadLetter', {
  DeadLetterRaised: z.object(Letter),
  DeadLetterRetried: z.object({ ...Work, position: Letter.position, event: Letter.event }),
  DeadLetterDiscarded: z.object({
    work: z
      .object(Work)
      .exactOptional()
      .meta({ description: 'What is not done any more; absent where it was discarded long ago' }),
    reason: z.string().max(500).exactOptional().meta({
      description: 'Why it is not to be done; absent where it was discarded long ago',
      example: 'Paid back by hand at the gateway',
    }),
  }),
})
export type DeadLetterEvent = EventOf<typeof deadLetterEvents>

// State

export interface DeadLetter {
  readonly status: 'none' | 'open' | 'retried' | 'discarded'
  readonly letter?: Pick<
    z.output<typeof deadLetterCommands.RaiseDeadLetter>,
    'source' | 'name' | 'subject' | 'dueAt' | 'position' | 'event' | 'mustBeDone'
  >
}

function evolve(state: DeadLetter, event: DeadLetterEvent): DeadLetter {
  switch (event.type) {
    case 'DeadLetterRaised':
      return { status: 'open', letter: event.data }
    case 'DeadLetterRetried':
      return { ...state, status: 'retried' }
    case 'DeadLetterDiscarded':
      return { ...state, status: 'discarded' }
  }
}

// Commands

const deadLetterCommands = {
  RaiseDeadLetter: z.object(Letter),
  RetryDeadLetter: z.object({}),
  DiscardDeadLetter: z.object({
    reason: z.string().trim().min(1).max(500).meta({
      description: 'Why it is not to be done',
      example: 'Paid back by hand at the gateway',
    }),
  }),
}

// Decisions

function raise(letter: z.output<typeof deadLetterCommands.RaiseDeadLetter>, state: DeadLetter): DeadLetterEvent[] {
  return state.status === 'open' || state.status === 'discarded' ? [] : [{ type: 'DeadLetterRaised', data: letter }]
}

function retry(_command: object, state: DeadLetter, { id }: { id: string }): DeadLetterEvent[] {
  if (state.letter === undefined) throw notFound('dead-letter', id)
  if (state.status === 'retried') return []
  if (state.status === 'discarded') throw reject('dead-letter-discarded', 'This dead letter was discarded.')
  const { position, event } = state.letter
  return [{ type: 'DeadLetterRetried', data: { ...workOf(state.letter), position, ...(event && { event }) } }]
}

function discard(
  { reason }: z.output<typeof deadLetterCommands.DiscardDeadLetter>,
  state: DeadLetter,
  { id }: { id: string },
): DeadLetterEvent[] {
  if (state.letter === undefined) throw notFound('dead-letter', id)
  if (state.status === 'discarded') return []
  if (state.status === 'retried') {
    throw reject('dead-letter-retried', 'This is being tried again. Discard it if it is set aside once more.')
  }
  if (state.letter.mustBeDone) {
    throw reject(
      'dead-letter-must-be-done',
      'This has to be done, and is not discarded. Mend its cause, then retry it.',
    )
  }
  return [{ type: 'DeadLetterDiscarded', data: { work: workOf(state.letter), reason } }]
}

function workOf({ source, name, subject, dueAt }: NonNullable<DeadLetter['letter']>) {
  return { source, name, subject, ...(dueAt !== undefined && { dueAt }) }
}

export const deadLetter = decider({
  events: deadLetterEvents,
  commands: deadLetterCommands,
  initial: { status: 'none' },
  evolve,
  decide: { RaiseDeadLetter: raise, RetryDeadLetter: retry, DiscardDeadLetter: discard },
})
