import {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  type LightMyRequestResponse,
} from 'fastify'
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

/** A server of its own, for the page alone. Its script takes more memory than all the rest of the API: it is loaded when somebody asks. */
async function pageServer(): Promise<FastifyInstance> {
  const { default: scalar } = await import('@scalar/fastify-api-reference')
  const page = fastify()
  page.register(scalar, {
    routePrefix: '/reference',
    configuration: {
      url: '/openapi.json',
      pageTitle: 'Daybook API',
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      showDeveloperTools: 'never',
    },
  })
  await page.ready()
  return page
}

/** The API's reference for people, at `/reference`, made from `/openapi.json`. It loads nothing from elsewhere. */
export function referencePage(app: FastifyInstance): void {
  let loading: Promise<FastifyInstance> | undefined

  /** One that failed is not kept: who asks next may have more luck. */
  function load(): Promise<FastifyInstance> {
    loading ??= pageServer().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    // The page's redirect is made from the Host header, which may be anything.
    if (!URL.canParse(request.url, `${request.protocol}://${request.hostname}`))
      throw problem(400, 'bad-request', 'The Host header is no host.')
    const page = await load()
    const { host = '' } = request.headers
    const answering: Promise<LightMyRequestResponse> = page.inject({ url: request.url, headers: { host } })
    const { statusCode, headers, rawPayload } = await answering
    for (const name of ['content-type', 'location', 'etag', 'cache-control']) {
      const value = headers[name]
      if (value !== undefined) reply.header(name, value)
    }
    return reply.code(statusCode).header('content-security-policy', contentSecurityPolicy).send(rawPayload)
  }

  app.addHook('onClose', async () => {
    const page = await loading?.catch(() => undefined)
    await page?.close()
  })
  app.get('/reference', answer)
  app.get('/reference/*', answer)
}
