import { z } from 'zod'
import { readConfig } from '../src/config.ts'
import { daybook } from '../src/daybook.ts'
import { answerParent } from './child.ts'
import { instantGateway } from './instant-gateway.ts'
import { headOf, startWatch, untilRest } from './watch.ts'

/** The server that is measured, as a process of its own: what `daybook serve` is, with a gateway more. */

const Question = z.enum(['address', 'watch', 'readings', 'rest'])

const shop = await daybook({ config: readConfig(), gateways: [instantGateway] })
const { url } = await shop.listen()
let stopWatch = startWatch(shop)

answerParent(async (question) => {
  switch (Question.parse(question)) {
    case 'address':
      return { url, token: shop.adminToken }
    case 'watch':
      stopWatch()
      stopWatch = startWatch(shop)
      return headOf(shop)
    case 'readings':
      return stopWatch()
    case 'rest':
      return await untilRest(shop)
  }
}, shop.close)
