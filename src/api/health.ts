import type { FastifyInstance } from 'fastify'

export interface Health {
  /** False until everything that answers requests is open. */
  readonly started: boolean
  /** What does not work as it should though requests are answered: a lost store, a stopped projection. */
  readonly degraded: readonly string[]
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
    const { started, degraded } = health()
    if (isDraining() || !started) {
      return reply.code(503).send({ status: started ? 'draining' : 'starting', degraded })
    }
    return reply.send({ status: degraded.length > 0 ? 'degraded' : 'ready', degraded })
  })
}
