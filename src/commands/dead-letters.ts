import { staff } from '../engine/access.ts'
import { command } from '../engine/command-definition.ts'
import { deadLetter } from '../engine/dead-letter.ts'

export const deadLetterRequests = [
  command({
    name: 'retryDeadLetter',
    route: 'POST /v1/dead-letters/{deadLetterId}/retry',
    summary: 'Try again what was set aside',
    who: staff('system'),
    target: deadLetter,
    type: 'RetryDeadLetter',
    startsWork: true,
  }),
  command({
    name: 'discardDeadLetter',
    route: 'POST /v1/dead-letters/{deadLetterId}/discard',
    summary: 'Discard what was set aside',
    who: staff('system'),
    target: deadLetter,
    type: 'DiscardDeadLetter',
  }),
]
