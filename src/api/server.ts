import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import cors from '@fastify/cors'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify'
import { filledPath } from '../engine/path-template.ts'
import { correlationIdOf } from '../engine/tracing.ts'
import type { Admission } from './admission.ts'
import { admit } from './caller.ts'
import { type ApiRequest, headerOf, type Route } from './exchange.ts'
import { isRecord } from './json.ts'
import { networkAddressOf } from './network-address.ts'
import { type ProblemError, problem, problemJson, problemOf } from './problems.ts'
import { routeLimit } from './rate-limits.ts'
import { isCorrelationId } from './request-headers.ts'
import { withinRequest } from './request-spans.ts'
import { securityHeaders } from './security-headers.ts'

export interface ServerOptions {
  readonly bodyLimitBytes: number
  /** Proxies whose X-Forwarded-For is believed: their addresses and networks, or how many there are. */
  readonly trustProxy: number | readonly string[]
  /** Origins of web pages that may call. */
  readonly corsOrigins: readonly string[]
  readonly admission: Admission
  readonly logger?: FastifyBaseLogger
}

const sentHeaders = [
  'Authorization',
  'Content-Type',
  'Daybook-Correlation-Id',
  'Daybook-Occurred-At',
  'Daybook-Position',
  'Idempotency-Key',
  'If-Match',
  'Prefer',
  'Traceparent',
]
const exposedHeaders = [
  'Daybook-Correlation-Id',
  'Daybook-Position',
  'ETag',
  'Location',
  'Preference-Applied',
  'Retry-After',
]

function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const found = problemOf(error)
  // What nobody threw on purpose is told to the log alone; the stack names no values that a client sent.
  if (found.status === 500) request.log.error({ err: error }, 'A request failed')
  return reply
    .code(found.status)
    .headers({ ...found.headers, 'cache-control': 'no-store' })
    .type('application/problem+json')
    .send(problemJson(found, request.id))
}

/** Of names that would change the prototypes of objects that are made from them. */
function refusedFields(): ProblemError {
  const detail = 'The body has a field `__proto__`, or `constructor` with a field `prototype`. Leave it out.'
  return problem(400, 'invalid-json', detail)
}

/** A server without routes: what holds for all requests, whatever they ask for. */
export async function server(options: ServerOptions): Promise<FastifyInstance> {
  const { bodyLimitBytes, trustProxy, corsOrigins, admission, logger } = options
  const app = fastify({
    ...(logger ? { loggerInstance: logger } : { logger: false }),
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'correlationId' }),
    genReqId: ({ headers }) => {
      const sent = headers['daybook-correlation-id']
      return isCorrelationId(sent) ? sent : (correlationIdOf(headers.traceparent) ?? randomUUID())
    },
    bodyLimit: bodyLimitBytes,
    // Fastify itself believes nobody where it is given a number.
    trustProxy: typeof trustProxy === 'number' ? (_address, hop) => hop < trustProxy : [...trustProxy],
    // A request must have arrived within requestTimeout; answering may take longer.
    serverFactory: (answer) =>
      admission.server({ requestTimeout: 30_000, keepAliveTimeout: 75_000, maxHeaderSize: 16_384 }, answer),
    routerOptions: { maxParamLength: 500 },
    // Requests while it stops are answered with a problem, like all others.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      sendProblem(error, request, reply)
    },
    clientErrorHandler(error, socket) {
      if (socket.destroyed || !socket.writable || ('code' in error && error.code === 'ECONNRESET')) return
      const status = 'code' in error && error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
      const body = problemJson(problemOf(Object.assign(new Error(error.message), { statusCode: status })), randomUUID())
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      )
    },
  })

  const parseJson = app.getDefaultJsonParser('error', 'error')
  const parseAnyJson = app.getDefaultJsonParser('ignore', 'ignore')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    // A command without content may be sent with the header all the same.
    if (body === '') done(null, undefined)
    else
      parseJson(request, String(body), (refused, parsed) => {
        if (refused === null) done(null, parsed)
        // Of what is refused, the parser does not say whether it is JSON.
        else parseAnyJson(request, String(body), (unreadable) => done(unreadable ?? refusedFields()))
      })
  })

  // A body may take as long to arrive as its sender likes.
  app.addHook('preParsing', (request, _reply, _body, done) => {
    admission.leave(request.raw)
    done()
  })
  app.addHook('preValidation', (request, _reply, done) => {
    admission.goOn(request.raw)
    done()
  })

  app.setErrorHandler(sendProblem)
  if (corsOrigins.length > 0) {
    await app.register(cors, {
      origin: [...corsOrigins],
      methods: ['GET', 'POST', 'PUT', 'DELETE'],
      allowedHeaders: sentHeaders,
      exposedHeaders,
      maxAge: 600,
      strictPreflight: false,
    })
  }
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('daybook-correlation-id', request.id).headers(securityHeaders)
    const sent = headerOf(request, 'daybook-correlation-id')
    if (sent === undefined || sent === request.id) done()
    else {
      const detail = 'A Daybook-Correlation-Id has 8 to 64 letters, digits, dots, dashes and underscores.'
      done(problem(400, 'correlation-id-invalid', detail))
    }
  })
  return app
}

function strings(sent: unknown): Record<string, string> {
  const entries = isRecord(sent) ? Object.entries(sent) : []
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

function stringsAndLists(sent: unknown): ApiRequest['query'] {
  const entries = isRecord(sent) ? Object.entries(sent) : []
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(String) : String(value)]),
  )
}

/** Serves a route. */
export function addRoute(
  app: FastifyInstance,
  admission: Pick<Admission, 'leave' | 'goOn'>,
  { method, path, who, requestsPerMinute, answer }: Route,
): void {
  app.route({
    method,
    url: filledPath(path, (name) => `:${name}`),
    ...(requestsPerMinute !== undefined && { config: { rateLimit: routeLimit(requestsPerMinute) } }),
    // Behind the rate limit, so that also those who are refused are counted; before the body is read.
    preParsing: async (request) => admit(who, request),
    handler: async (request, reply) => {
      const answering = withinRequest(request, () =>
        answer({
          principal: request.principal,
          correlationId: request.id,
          address: networkAddressOf(request),
          parameters: strings(request.params),
          query: stringsAndLists(request.query),
          headers: request.headers,
          body: request.body,
          async standBy(wait) {
            admission.leave(request.raw)
            try {
              return await request.deadline.uncounted(wait)
            } finally {
              admission.goOn(request.raw)
            }
          },
        }),
      )
      const { status, headers, body } = await request.deadline.within(answering)
      reply.code(status).headers(headers).header('cache-control', 'no-store')
      return body === '' ? reply.send() : reply.type('application/json; charset=utf-8').send(body)
    },
  })
}

/** Answers for addresses where there is no route: 405 where another method has one, 404 elsewhere. */
export function addNotFound(app: FastifyInstance, routes: readonly Pick<Route, 'method' | 'path'>[]): void {
  const patterns = routes.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${filledPath(path.replaceAll('.', '\\.'), () => '[^/]+')}$`),
  }))
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    const [path = ''] = request.url.split('?')
    const allowed = new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))
    if (allowed.size > 0) {
      const allow = [...allowed].join(', ')
      throw problem(405, 'method-not-allowed', `Send ${allow}.`, { headers: { allow } })
    }
    throw problem(404, 'route-not-found', 'There is nothing at this address. All routes are in /openapi.json.')
  })
}
