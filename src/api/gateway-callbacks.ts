import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { gatewayCallback, Notice } from '../domain/gateway-callback.ts'
import type { Clock } from '../engine/clock.ts'
import type { CommandHandler } from '../engine/command-handler.ts'
import { derivedId } from '../engine/streams.ts'
import { ForgedCallbackError, type GatewayNotice, type PaymentGateway } from '../workers/payment-gateway.ts'
import { headerOf } from './exchange.ts'
import { problem, unauthenticated } from './problems.ts'
import { inBody, parse } from './validation.ts'

const Parameters = z.object({ gateway: z.string() })

export interface GatewayCallbackOptions {
  readonly gateways: readonly PaymentGateway[]
  readonly handler: CommandHandler
  readonly clock: Clock
}

/**
 * Where payment gateways call back. A callback is verified over its bytes as they came, and is an event before it is
 * answered. A gateway's calls are signed, and come many at once from one address: they have no rate limit.
 */
export function gatewayCallbackRoute(app: FastifyInstance, options: GatewayCallbackOptions): void {
  const { handler, clock } = options
  const gateways = new Map(options.gateways.map((gateway) => [gateway.name, gateway]))

  function noticeOf(gateway: PaymentGateway, request: FastifyRequest): GatewayNotice {
    const names = Object.keys(request.headers)
    const headers = Object.fromEntries(names.map((name) => [name, headerOf(request, name)]))
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    try {
      return gateway.parseCallback({ headers, body, now: clock.now() })
    } catch (error) {
      if (!(error instanceof ForgedCallbackError)) throw error
      throw unauthenticated('callback-forged', 'This callback is not what the gateway signed, or it is too old.')
    }
  }

  app.register((scope, _options, registered) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    const config = { rateLimit: false as const }
    scope.post('/v1/gateways/:gateway/callbacks', { config }, async (request, reply) => {
      const { gateway: name } = Parameters.parse(request.params)
      const gateway = gateways.get(name)
      if (!gateway) throw problem(404, 'gateway-not-found', 'There is no such gateway.')
      const notice = parse(Notice, { ...noticeOf(gateway, request), gateway: name }, inBody)
      await handler.handle({
        decider: gatewayCallback,
        target: `${name}.${encodeURIComponent(notice.noticeId)}`,
        type: 'RecordCallback',
        data: notice,
        id: derivedId('callback', name, notice.noticeId),
        actor: { kind: 'system', id: `gateway.${name}` },
        correlationId: request.id,
      })
      return reply.code(204).send()
    })
    registered()
  })
}
