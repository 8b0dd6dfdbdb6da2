import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Access, anonymous, mayAsk, type Principal } from '../engine/access.ts'
import { traced } from '../engine/tracing.ts'
import type { Credentials } from './authentication.ts'
import type { Deadline } from './deadline.ts'
import { headerOf } from './exchange.ts'
import { networkAddressOf } from './network-address.ts'
import { problem, unauthenticated } from './problems.ts'
import { withinRequest } from './request-spans.ts'

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal
    /** Why its token was not good; told once the request has been counted. */
    refusal: unknown
    /** How long it may still take. */
    deadline: Deadline
  }
}

function isLoopback({ remoteAddress = '' }: Socket): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(remoteAddress)
}

/** True for a request of this very machine: one that a proxy on it passes on came from elsewhere. */
function isLocal(request: FastifyRequest): boolean {
  const isProxied = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'].some((name) => name in request.headers)
  return isLoopback(request.raw.socket) && !isProxied
}

/**
 * Finds out who asks as soon as a request comes in. Who sent a bad token is nobody known, and refused by `admit`.
 * @param begin begins the time that a request may take
 */
export function identifyCallers(
  app: FastifyInstance,
  authenticate: (credentials: Credentials) => Promise<Principal>,
  begin: () => Deadline,
): void {
  app.decorateRequest('principal')
  app.decorateRequest('refusal')
  app.decorateRequest('deadline')
  app.addHook('onRequest', async (request) => {
    request.principal = anonymous
    request.deadline = begin()
    const authorization = headerOf(request, 'authorization')
    if (authorization === undefined) return
    try {
      const credentials = { authorization, address: networkAddressOf(request), isLocal: isLocal(request) }
      const found = withinRequest(request, () =>
        traced(
          'authorise',
          () => ({}),
          () => authenticate(credentials),
        ),
      )
      request.principal = await request.deadline.within(found)
    } catch (error) {
      request.refusal = error
    }
  })
}

/**
 * Lets a request in, or not, before its body is read.
 * @throws ProblemError (401) for who must say who it is, (403) for who may not
 */
export function admit(who: Access<never>, request: FastifyRequest): void {
  if (request.refusal !== undefined) throw request.refusal
  const verdict = mayAsk(who, request.principal)
  if (verdict === 'unauthenticated') {
    throw unauthenticated('token-required', 'Send `Authorization: Bearer` with a token or an API key.')
  }
  if (verdict !== 'allowed') {
    const scope = 'scope' in who ? ` It needs an API key with the scope \`${who.scope}\`.` : ''
    throw problem(403, 'forbidden', `This token may not do that.${scope}`)
  }
}
