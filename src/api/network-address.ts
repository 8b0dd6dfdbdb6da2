import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'

/**
 * Where a request came from, as it is counted: of IPv6 the network (a /64), for one line has all of its addresses.
 * @param request with the address as far as proxies are believed
 */
export function networkAddressOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  return normalizeIP(ip)
}
