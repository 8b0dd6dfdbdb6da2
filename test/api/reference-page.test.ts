import { type FastifyInstance, fastify } from 'fastify'
import { expect, test, vi } from 'vitest'
import { referencePage } from '../../src/api/reference-page.ts'

const library = vi.hoisted(() => ({ fails: false, closed: 0 }))

/** In place of the library, which can't be made to fail. */
vi.mock('@scalar/fastify-api-reference', () => ({
  async default(page: FastifyInstance) {
    if (library.fails) throw new Error('no memory')
    page.addHook('onClose', async () => {
      library.closed++
    })
    page.get('/reference/', (_, reply) =>
      reply.headers({ etag: '"1"', 'cache-control': 'max-age=60', 'x-powered-by': 'a page' }).send('the page'),
    )
  },
}))

test('The page is loaded anew after it failed, is closed with the server, and may be cached', async () => {
  const app = fastify()
  referencePage(app)
  const statusCode = async () => (await app.inject('/reference/')).statusCode
  library.fails = true
  expect([await statusCode(), await statusCode()]).toEqual([500, 500])
  library.fails = false
  const { body, headers } = await app.inject('/reference/')
  expect(body).toBe('the page')
  expect(headers).toMatchObject({ etag: '"1"', 'cache-control': 'max-age=60' })
  expect(headers).not.toHaveProperty('x-powered-by')
  expect(library.closed).toBe(0)
  await app.close()
  expect(library.closed).toBe(1)
})

test('A server whose page failed, or was never asked for, closes all the same', async () => {
  const unused = fastify()
  referencePage(unused)
  await unused.close()
  const app = fastify()
  referencePage(app)
  library.fails = true
  expect((await app.inject('/reference/')).statusCode).toBe(500)
  await app.close()
})
