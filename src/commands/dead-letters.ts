import { staff } from '../engine/access.ts'
import { command } from '../engine/command-definition.ts'
import { deadLetter } from '../engine/dead-letter.ts'

export const deadLetterRequests = [
  command({
    name: 'retryDeadLetter',
    route: 'POST /v1/dead-letters/{deadLetterId}/retry',
    summary: 'Try again what was set aside',
    description: 'A job gets all its tries again; a process manager reacts to the event again, on what is so now.',
    who: staff('system'),
    target: deadLetter,
    type: 'RetryDeadLetter',
    startsWork: true,
  }),
  command({
    name: 'discardDeadLetter',
    route: 'POST /v1/dead-letters/{deadLetterId}/discard',
    summary: 'Discard what was set aside',
    description:
      'Nobody tries it again, and what waits for it is not told: see to it by hand. Who discarded it and why is kept in the log. What has to be done (`mustBeDone`), such as forgetting somebody, is refused with 409: retry it.',
    who: staff('system'),
    target: deadLetter,
    type: 'DiscardDeadLetter',
  }),
]
