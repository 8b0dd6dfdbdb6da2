import scalar from '@scalar/fastify-api-reference'
import type { FastifyInstance } from 'fastify'
import { problem } from './problems.ts'

/** The page needs its own scripts and styles, some of them inline; it may talk to nobody but this server. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  'worker-src blob:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The API's reference for people, at `/reference`, made from `/openapi.json`. It loads nothing from elsewhere. */
export function referencePage(app: FastifyInstance): void {
  app.register((scope, _options, done) => {
    scope.addHook('onSend', (_request, reply, _payload, next) => {
      reply.header('content-security-policy', contentSecurityPolicy)
      next()
    })
    scope.register(scalar, {
      routePrefix: '/reference',
      configuration: {
        url: '/openapi.json',
        pageTitle: 'Daybook API',
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        showDeveloperTools: 'never',
      },
      hooks: {
        onRequest: (request, _reply, next) => {
          // The page's redirect is made from the Host header, which may be anything.
          const isAddress = URL.canParse(request.url, `${request.protocol}://${request.hostname}`)
          next(isAddress ? undefined : problem(400, 'bad-request', 'The Host header is no host.'))
        },
      },
    })
    done()
  })
}
