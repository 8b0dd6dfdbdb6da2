import { Worker } from 'node:worker_threads'
import { fastify } from 'fastify'
import { z } from 'zod'
import { answerParent } from './child.ts'

/**
 * The least that could answer the same requests: a bare Fastify that parses bodies and answers constants. Where it is given a log, a
 * command is answered when its share of events has been inserted there, in one transaction with those of all
 * commands that arrived meanwhile.
 */

const Question = z.object({
  /** What queries are answered, by their addresses; one that ends with a star stands for all that begin so. */
  answers: z.array(z.object({ path: z.string(), body: z.string() })),
  log: z
    .object({
      file: z.string(),
      /** A log whose last events are inserted. */ like: z.string(),
      eventsPerCommand: z.number(),
    })
    .exactOptional(),
})
export type LimitQuestion = z.input<typeof Question>

/** Collects while a transaction is under way, as the engine does. */
function rawLog(file: string, like: string, eventsPerCommand: number): () => Promise<void> {
  const worker = new Worker(new URL('./raw-log.ts', import.meta.url), { workerData: { file, like } })
  let waiting: (() => void)[] = []
  let underWay: (() => void)[] = []
  let rest = 0
  worker.on('error', (error) => {
    throw error
  })
  worker.on('message', () => {
    for (const done of underWay) done()
    underWay = []
    send()
  })
  function send(): void {
    if (waiting.length === 0 || underWay.length > 0) return
    underWay = waiting
    waiting = []
    rest += underWay.length * eventsPerCommand
    const count = Math.floor(rest)
    rest -= count
    worker.postMessage(count)
  }
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      send()
    })
}

answerParent(async (question) => {
  const { answers, log } = Question.parse(question)
  const insert = log && rawLog(log.file, log.like, log.eventsPerCommand)
  const whole = new Map(answers.map(({ path, body }) => [path, body]))
  const beginnings = answers.flatMap(({ path, body }) => (path.endsWith('*') ? { path: path.slice(0, -1), body } : []))
  const find = (url: string) => whole.get(url) ?? beginnings.find(({ path }) => url.startsWith(path))?.body
  const app = fastify()
  app.post('/*', async (_request, reply) => {
    await insert?.()
    return reply
      .type('application/json; charset=utf-8')
      .send('{"id":"0198f0c2-1111-7a34-9b0e-3f2c1d5a7b88","revision":1,"position":"p"}')
  })
  app.get('/*', (request, reply) => {
    const body = find(request.url)
    return body === undefined ? reply.code(404).send() : reply.type('application/json; charset=utf-8').send(body)
  })
  const listening: Promise<string> = app.listen({ host: '127.0.0.1', port: 0 })
  return await listening
})
