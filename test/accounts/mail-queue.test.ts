import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Mail, UndeliverableMailError } from '../../src/accounts/mail-gateway.ts'
import { mailQueue } from '../../src/accounts/mail-queue.ts'
import { manualClock } from '../manual-clock.ts'

const mail = (id: string): Mail => ({ id, to: 'ada@example.com', subject: 'Hello', text: 'Hello' })

function queue(send: (mail: Mail, tries: number) => Promise<void>) {
  const clock = manualClock()
  const sent: string[] = []
  const failures: unknown[] = []
  const tries = new Map<string, number>()
  const gateway = {
    async send(each: Mail) {
      tries.set(each.id, (tries.get(each.id) ?? 0) + 1)
      await send(each, tries.get(each.id) ?? 0)
      sent.push(each.id)
    },
    async close() {},
  }
  return {
    sent,
    failures,
    tries,
    clock,
    mails: mailQueue({ gateway, clock, onFailure: (error) => failures.push(error), firstPauseMs: 1 }),
  }
}

test('A mail is tried again until it is taken, and given up where that makes no sense', async () => {
  const { sent, failures, tries, mails } = queue(async ({ id }, number) => {
    if (id === 'refused') throw new UndeliverableMailError('No such user')
    if (number < 3) throw new Error('Not now')
  })
  mails.tell(async () => mail('later'))
  mails.post(async () => mail('refused'))
  mails.post(async () => undefined)
  await expect.poll(() => [sent, failures.length]).toEqual([['later'], 1])
  expect(tries).toEqual(
    new Map([
      ['later', 3],
      ['refused', 1],
    ]),
  )
  await mails.close()
})

test('Too many that wait are refused, and given up when the shop stops', async () => {
  const { promise: taken, resolve: take } = Promise.withResolvers<void>()
  const { sent, tries, failures, mails } = queue(() => taken)
  for (let turn = 0; turn < 1_004; turn++) mails.post(async () => mail(`mail-${turn}`))
  expect(() => mails.post(async () => mail('one more'))).toThrow('Too many mails')
  mails.tell(async () => mail('of what has happened'))
  expect(failures).toMatchObject([{ code: 'mail-busy' }])
  await expect.poll(() => tries.size).toBe(4)
  const closed = mails.close()
  take()
  await closed
  expect(sent.length).toBeLessThanOrEqual(4)
  expect(failures).toContainEqual(new Error('The shop stops: 1000 mails were not sent'))
})

test('A mail server that takes a mail and never answers does not keep the shop from stopping', async () => {
  const { clock, tries, mails } = queue(() => new Promise(() => {}))
  mails.post(async () => mail('never'))
  await expect.poll(() => tries.size).toBe(1)
  const closed = mails.close()
  await clock.advance(3_000)
  await closed
})

test('A mail after the end is reported, and neither made nor given to a server whose connection is closed', async () => {
  const { tries, failures, mails } = queue(async () => {})
  await mails.close()
  let made = 0
  const make = async () => {
    made++
    return mail('late')
  }
  mails.tell(make)
  expect(failures).toMatchObject([{ code: 'draining' }])
  expect(() => mails.post(make)).toThrow('The shop stops')
  await setImmediate()
  expect([made, tries.size]).toEqual([0, 0])
})
