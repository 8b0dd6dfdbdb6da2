import { IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'

/** What every answer tells a browser. Helmet says it once and for all, for it is the same for each request. */
export const securityHeaders: Readonly<OutgoingHttpHeaders> = headersOf(
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    referrerPolicy: { policy: 'no-referrer' },
    // These speak to browsers about pages; what is served here is JSON, and one page with a policy of its own.
    crossOriginOpenerPolicy: false,
    dnsPrefetchControl: false,
    ieNoOpen: false,
    originAgentCluster: false,
    permittedCrossDomainPolicies: false,
    xssFilter: false,
  }),
)

function headersOf(tell: ReturnType<typeof helmet>): OutgoingHttpHeaders {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  tell(request, response, (error) => {
    if (error !== undefined) throw error
  })
  return { ...response.getHeaders() }
}
