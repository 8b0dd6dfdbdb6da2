import type { ServerResponse } from 'node:http'
import { type Context, context, SpanStatusCode, trace } from '@opentelemetry/api'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { callerOf, isTracing, startSpan, traceIdOf, traceOf } from '../engine/tracing.ts'
import { headerOf } from './exchange.ts'

/** A span for each request, by OpenTelemetry's semantic conventions for HTTP servers. */

const contexts = new WeakMap<FastifyRequest, Context>()

/** Begins the span of each request that comes to a server, and ends it with its answer. */
export function traceRequests(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (isTracing()) begin(request, reply.raw)
    done()
  })
}

function begin(request: FastifyRequest, response: ServerResponse): void {
  const { method, id, protocol } = request
  const route = request.routeOptions.url?.replaceAll(/:(\w+)/g, '{$1}')
  const caller = callerOf(headerOf(request, 'traceparent'))
  const isElsewhere = caller !== undefined && trace.getSpanContext(caller)?.traceId !== traceIdOf(id)
  const { span, context: within } = startSpan(route === undefined ? method : `${method} ${route}`, {
    kind: 'server',
    parent: caller ?? traceOf(id),
    // What follows from it is found by its correlation id, which the caller chose apart from its trace.
    ...(isElsewhere && { alsoFor: [id] }),
    attributes: {
      'http.request.method': method,
      'url.scheme': protocol,
      'url.path': request.url.split('?')[0] ?? '',
      'daybook.correlation_id': id,
      ...(route !== undefined && { 'http.route': route }),
    },
  })
  contexts.set(request, within)
  response.once('close', () => {
    const { statusCode } = response
    span.setAttribute('http.response.status_code', statusCode)
    if (statusCode >= 500) {
      span.setAttribute('error.type', String(statusCode))
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end()
  })
}

/** Does a part of answering a request within its span. */
export function withinRequest<Result>(request: FastifyRequest, work: () => Result): Result {
  const within = contexts.get(request)
  return within ? context.with(within, work) : work()
}
