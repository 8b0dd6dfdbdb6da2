import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../engine/clock.ts'
import { parse } from './problem.ts'

const Message = z.object({
  id: z.string().min(1).max(100),
  to: z.string().min(1).max(254),
  subject: z.string().max(500),
  text: z.string().max(10_000),
})
const Asked = z.object({ to: z.string().max(254).optional() })

interface Kept extends z.output<typeof Message> {
  readonly sentAt: string
}

const keptMessages = 500

/**
 * Adds a mailbox: it takes mails that would go out, and shows the latest ones to whoever asks, the newest first.
 * @param pageOrigins of the pages that may ask, too: with the links of mails others could take accounts
 */
export async function messageRoutes(app: FastifyInstance, clock: Clock, pageOrigins: readonly string[]): Promise<void> {
  const kept = new Map<string, Kept>()
  if (pageOrigins.length > 0) await app.register(cors, { origin: [...pageOrigins], methods: ['GET'] })

  app.post('/', async (request, reply) => {
    const message = parse(Message, request.body)
    if (!kept.has(message.id)) kept.set(message.id, { ...message, sentAt: new Date(clock.now()).toISOString() })
    const [oldest] = kept.keys()
    if (kept.size > keptMessages && oldest !== undefined) kept.delete(oldest)
    return reply.code(204).send()
  })

  app.get('/', async (request) => {
    const { to } = parse(Asked, request.query)
    const items = Array.from(kept.values()).filter((each) => to === undefined || each.to === to)
    return { items: items.reverse() }
  })
}
