import { z } from 'zod'
import { readConfig } from '../src/config.ts'
import { openDaybook } from '../src/daybook.ts'
import { answerParent } from './child.ts'
import { instantGateway } from './instant-gateway.ts'
import { headOf, startWatch, untilRest } from './watch.ts'

/** The server that is measured, as a process of its own: what `daybook serve` is, with a gateway more. */

const Question = z.enum(['address', 'watch', 'readings', 'rest'])

const daybook = await openDaybook({ config: readConfig(), gateways: [instantGateway] })
const { url } = await daybook.listen()
let stopWatch = startWatch(daybook)

answerParent(async (question) => {
  switch (Question.parse(question)) {
    case 'address':
      return { url, token: daybook.adminToken }
    case 'watch':
      stopWatch()
      stopWatch = startWatch(daybook)
      return headOf(daybook)
    case 'readings':
      return stopWatch()
    case 'rest':
      return await untilRest(daybook)
  }
}, daybook.close)
