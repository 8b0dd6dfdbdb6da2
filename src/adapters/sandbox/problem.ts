import { STATUS_CODES } from 'node:http'
import type { FastifyReply } from 'fastify'
import { z } from 'zod'

/** What the sandbox cannot be asked (RFC 9457), as distinct from a refusal, which is an answer. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
  constructor(status: number, code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

/**
 * Parses what a client sent.
 * @throws Problem that points to what is wrong; it does not repeat what was sent, which may be a card number
 */
export function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const errors = parsed.error.issues.map(({ path, message }) => ({
    pointer: path.map((part) => `/${String(part)}`).join(''),
    detail: message,
  }))
  throw new Problem(422, 'invalid', 'The request is not what it has to be.', { errors })
}

const ClientError = z.object({ statusCode: z.int().min(400).max(499) })

/** Makes a problem of whatever was thrown: status 500 for what is no fault of the client. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  const client = ClientError.safeParse(error)
  if (!client.success) return new Problem(500, 'sandbox-error', 'The sandbox itself failed.')
  const { statusCode } = client.data
  const title = STATUS_CODES[statusCode] ?? 'Bad Request'
  return new Problem(statusCode, title.toLowerCase().replaceAll(' ', '-'), `The request cannot be read: ${title}.`)
}

/** Answers with a problem. */
export function sendProblem(reply: FastifyReply, { status, code, message, details }: Problem): void {
  if (status === 503) reply.header('retry-after', '1')
  reply
    .code(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: STATUS_CODES[status], status, code, detail: message, ...details })
}
