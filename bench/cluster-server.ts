import { z } from 'zod'
import { readConfig } from '../src/config.ts'
import { daybook } from '../src/daybook.ts'
import { roles } from '../src/engine/cluster-member.ts'
import { answerParent } from './child.ts'
import { instantGateway } from './instant-gateway.ts'

/** One process of a cluster: what `daybook serve --role ROLE` is, with a gateway more. */

const Question = z.object({ role: z.enum(roles) })

let close = async () => {}

answerParent(
  async (question) => {
    const { role } = Question.parse(question)
    const opened = await daybook({ config: readConfig(), gateways: [instantGateway], roles: [role] })
    close = opened.close
    const { url } = await opened.listen()
    return { url, token: opened.adminToken }
  },
  () => close(),
)
