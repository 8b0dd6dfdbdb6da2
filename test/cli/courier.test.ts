import { expect, test } from 'vitest'
import type { Connection, Reply } from '../../src/cli/connection.ts'
import { courier, forEach } from '../../src/cli/courier.ts'

/** A shop that answers as it is told to, and notes what it is sent. */
function connectionTo(answer: (count: number) => Reply | Promise<Reply>) {
  const sent: Parameters<Connection['send']>[] = []
  const connection: Connection = {
    remote: true,
    send: async (...request) => await answer(sent.push(request)),
    close: async () => {},
  }
  return { connection, sent }
}

const reply = (status: number, body: unknown = {}): Reply => ({ status, body, headers: {} })

test('a command goes out with its key and its time', async () => {
  const { connection, sent } = connectionTo(() => reply(200))
  const requests = courier(connection, 1)
  await requests.send('POST', '/v1/things', { title: 'Cup' }, { key: 'one', occurredAt: '2010-12-01T08:26:00.000Z' })
  const headers = { 'idempotency-key': 'one', 'daybook-occurred-at': '2010-12-01T08:26:00.000Z' }
  expect(sent).toEqual([['POST', '/v1/things', { body: { title: 'Cup' }, headers }]])
  expect(requests.sent()).toBe(1)
})

test.each([429, 503])('a command is sent again, unchanged, while the answer is %i', async (status) => {
  const { connection, sent } = connectionTo((count) => reply(count < 2 ? status : 201))
  await courier(connection, 1).send('POST', '/v1/things', {}, { key: 'one' })
  expect(sent).toHaveLength(2)
  expect(sent[1]).toEqual(sent[0])
})

test('what is refused is not sent again', async () => {
  const { connection, sent } = connectionTo(() => reply(409, { code: 'sku-taken', detail: 'This sku is in use.' }))
  const requests = courier(connection, 1)
  await expect(requests.send('POST', '/v1/things', {})).rejects.toMatchObject({ code: 'sku-taken' })
  expect(sent).toHaveLength(1)
  expect(requests.sent()).toBe(0)
})

test('what is asked for is answered also if it is not there', async () => {
  const { connection } = connectionTo(() => reply(404))
  expect((await courier(connection, 1).ask('/v1/things/1')).status).toBe(404)
})

test('no more requests are under way than it may have', async () => {
  let underWay = 0
  let most = 0
  const { connection } = connectionTo(async () => {
    most = Math.max(most, ++underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay--
    return reply(200)
  })
  const requests = courier(connection, 3)
  await Promise.all(Array.from({ length: 20 }, () => requests.ask('/v1/things')))
  expect(most).toBe(3)
})

test('once stopped, nothing new is sent, and what is under way is answered', async () => {
  const stopping = new AbortController()
  const { connection, sent } = connectionTo((count) => {
    if (count === 2) stopping.abort()
    return reply(200)
  })
  const requests = courier(connection, 1, stopping.signal)
  const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((path) => requests.send('POST', path, {})))
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
  expect(outcomes[2]).toMatchObject({ reason: { name: 'StoppedError' } })
  expect(sent).toHaveLength(2)
})

test('after a failure nothing new is begun, and what was begun ends first', async () => {
  const ended: number[] = []
  const begun: number[] = []
  const work = async (item: number) => {
    begun.push(item)
    if (item === 2) throw new Error('broken')
    await new Promise((resolve) => setImmediate(resolve))
    ended.push(item)
  }
  await expect(forEach([1, 2, 3, 4, 5], 2, work)).rejects.toThrow('broken')
  expect(begun).toEqual([1, 2])
  expect(ended).toEqual([1])
})
