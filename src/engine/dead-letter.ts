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
  reason: z
    .string()
    .max(1_000)
    .meta({ description: 'Why it failed', example: 'order-not-found: There is no such order.' }),
}

// Events

export const deadLetterEvents = defineEvents('deadLetter', {
  DeadLetterRaised: z.object(Letter),
  DeadLetterRetried: z.object({
    source: Letter.source,
    name: Letter.name,
    subject: Letter.subject,
    position: Letter.position,
    event: Letter.event,
  }),
  DeadLetterDiscarded: z.object({}),
})
export type DeadLetterEvent = EventOf<typeof deadLetterEvents>

// State

export interface DeadLetter {
  readonly status: 'none' | 'open' | 'retried' | 'discarded'
  readonly letter?: Pick<
    z.output<typeof deadLetterCommands.RaiseDeadLetter>,
    'source' | 'name' | 'subject' | 'position' | 'event'
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
  DiscardDeadLetter: z.object({}),
}

// Decisions

function raise(letter: z.output<typeof deadLetterCommands.RaiseDeadLetter>, state: DeadLetter): DeadLetterEvent[] {
  return state.status === 'open' || state.status === 'discarded' ? [] : [{ type: 'DeadLetterRaised', data: letter }]
}

function retry(_command: object, state: DeadLetter, { id }: { id: string }): DeadLetterEvent[] {
  if (state.letter === undefined) throw notFound('dead-letter', id)
  if (state.status === 'retried') return []
  if (state.status === 'discarded') throw reject('dead-letter-discarded', 'This dead letter was discarded.')
  const { source, name, subject, position, event } = state.letter
  return [{ type: 'DeadLetterRetried', data: { source, name, subject, position, ...(event && { event }) } }]
}

function discard(_command: object, state: DeadLetter, { id }: { id: string }): DeadLetterEvent[] {
  if (state.letter === undefined) throw notFound('dead-letter', id)
  return state.status === 'discarded' ? [] : [{ type: 'DeadLetterDiscarded', data: {} }]
}

export const deadLetter = decider({
  events: deadLetterEvents,
  commands: deadLetterCommands,
  initial: { status: 'none' },
  evolve,
  decide: { RaiseDeadLetter: raise, RetryDeadLetter: retry, DiscardDeadLetter: discard },
})
