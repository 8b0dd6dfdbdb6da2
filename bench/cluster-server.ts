import { z } from 'zod'
import { readConfig } from '../src/config.ts'
import { openDaybook } from '../src/daybook.ts'
import { roles } from '../src/engine/cluster-member.ts'
import { answerParent } from './child.ts'
import { instantGateway } from './instant-gateway.ts'

/** One process of a cluster: what `daybook serve --role ROLE` is, with a gateway more. */

const Question = z.object({ role: z.enum(roles) })

let close = async () => {}

answerParent(
  async (question) => {
    const { role } = Question.parse(question)
    const daybook = await openDaybook({ config: readConfig(), gateways: [instantGateway], roles: [role] })
    close = daybook.close
    const { url } = await daybook.listen()
    return { url, token: daybook.adminToken }
  },
  () => close(),
)
