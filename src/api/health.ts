import type { FastifyInstance } from 'fastify'

export interface Health {
  /** False until everything that answers requests is open. */
  readonly started: boolean
  /** What does not work as it should though requests are answered: a lost store, a stopped projection. */
  readonly degraded: readonly string[]
}

/** What `/health/ready` answers. */
export function readiness({ started, degraded }: Health, isDraining: boolean) {
  if (isDraining || !started) return { code: 503, body: { status: started ? 'draining' : 'starting', degraded } }
  return { code: 200, body: { status: degraded.length > 0 ? 'degraded' : 'ready', degraded } }
}

/**
 * `/health/live`: the process answers; `/health/ready`: it wants requests. What is degraded is told, and is no reason
 * to take the server out of service.
 * @param isDraining true once the server has begun to stop
 */
export function healthRoutes(app: FastifyInstance, health: () => Health, isDraining: () => boolean): void {
  const options = { config: { rateLimit: false as const } }

  app.get('/health/live', options, (_request, reply) => reply.send({ status: 'live' }))

  app.get('/health/ready', options, (_request, reply) => {
    const { code, body } = readiness(health(), isDraining())
    return reply.code(code).send(body)
  })
}
