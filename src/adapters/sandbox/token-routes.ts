import { randomUUID } from 'node:crypto'
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../engine/clock.ts'
import { Problem, parse } from './problem.ts'
import { type CardBehaviour, findTestCard, testCards } from './test-cards.ts'

const Card = z.object({
  number: z.string().min(1).max(40),
  expiry: z.string().regex(/^(0[1-9]|1[0-2])\/\d{2}$/, 'must be MM/YY'),
  cvc: z.string().regex(/^\d{3,4}$/, 'must be three or four digits'),
})

const known = testCards.map(({ number, does }) => ({ number, does: `The payment ${does}.` }))

/**
 * Adds the route by which a shopper's browser gets a token for a card, from the page of any shop. Nothing keeps or
 * repeats a number that was sent.
 * @param remember told what the card of a token does
 */
export async function tokenRoutes(
  app: FastifyInstance,
  clock: Clock,
  remember: (token: string, card: CardBehaviour) => void,
): Promise<void> {
  await app.register(cors, { origin: '*', methods: ['POST'] })

  app.post('/', async (request, reply) => {
    const { number, expiry } = parse(Card, request.body)
    const card = findTestCard(number)
    if (card === undefined) throw new Problem(422, 'unknown-card', 'Only test cards work here.', { testCards: known })
    if (expired(expiry, clock.now())) throw new Problem(422, 'card-expired', 'The card has expired.')
    const token = `tok_${randomUUID()}`
    remember(token, card.behaviour)
    return reply.code(201).send({ token })
  })
}

function expired(expiry: string, nowMs: number): boolean {
  const [month = 0, year = 0] = expiry.split('/').map(Number)
  return Date.UTC(2000 + year, month) <= nowMs
}
