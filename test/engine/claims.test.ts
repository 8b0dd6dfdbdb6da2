import { expect, test } from 'vitest'
import { claim, claimId } from '../../src/engine/claim.ts'
import { claims } from '../../src/engine/claims.ts'
import { UnavailableError } from '../../src/engine/errors.ts'
import type { EventStore } from '../../src/engine/event-store.ts'
import { serve } from '../api/serve.ts'
import { venue } from '../api/venue.ts'

type Served = Awaited<ReturnType<typeof serve>>

/** A claim of an owner who got no further. */
async function leaveClaim({ engine, vault }: Served, slug: string, owner: string): Promise<void> {
  await engine.handler.handle({
    decider: claim,
    target: claimId(await vault.secret('claims'), 'venue slug', slug),
    type: 'Claim',
    data: { owner, noun: 'venue slug' },
    id: `claim-of-${owner}`,
    actor: { kind: 'system', id: 'test' },
    correlationId: 'test',
  })
}

const sharedStore = (store: EventStore): EventStore => ({ ...store, soleWriter: false })

test('Of many who want the same value at once, one gets it', async () => {
  const { openVenue } = await serve()
  const answers = await Promise.all(Array.from({ length: 10 }, (_, number) => openVenue(`v${number}`, 'globe')))
  const statuses = answers.map(({ statusCode }) => statusCode).sort()
  expect(statuses).toEqual([201, ...Array(9).fill(409)])
  expect(answers.find(({ statusCode }) => statusCode === 409)?.json().code).toBe('venue-slug-taken')
})

test('Of two in different processes, too', async () => {
  const served = await serve({ store: sharedStore })
  const answers = await Promise.all([served.openVenue('one', 'globe'), served.openVenue('two', 'globe')])
  expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409])
})

test.each([{ store: undefined }, { store: sharedStore }])(
  'What a refused command had claimed is free again',
  async (options) => {
    const { openVenue, send, staff } = await serve(options.store ? { store: options.store } : {})
    const refused = await send('POST /v1/venues', { as: staff, body: { slug: 'globe', title: 'Forbidden' } })
    expect(refused.json().code).toBe('title-forbidden')
    expect((await openVenue('other', 'globe')).statusCode).toBe(201)
  },
)

test('A refused command gives up only what it has claimed itself', async () => {
  const { openVenue, send, staff } = await serve()
  await openVenue('globe')
  const rename = { slug: 'globe', title: 'Forbidden' }
  expect((await send('POST /v1/venues/globe/rename', { as: staff, body: rename })).statusCode).toBe(409)
  expect((await openVenue('other', 'globe')).json().code).toBe('venue-slug-taken')
})

test('The same request, refused and accepted at once, keeps its claim', async () => {
  const { openVenue, send, staff } = await serve()
  const headers = { 'idempotency-key': 'once' }
  const body = { slug: 'globe', title: 'Globe' }
  const answers = await Promise.all([
    send('POST /v1/venues', { as: staff, body, headers }),
    send('POST /v1/venues', { as: staff, body: { ...body, title: 'Forbidden' }, headers }),
    send('POST /v1/venues', { as: staff, body, headers }),
  ])
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 422, 201])
  expect((await openVenue('other', 'globe')).json().code).toBe('venue-slug-taken')
})

test('The retry of a command that was accepted keeps its claim and gets its first answer', async () => {
  const { send, staff } = await serve()
  const headers = { 'idempotency-key': 'once' }
  const open = () => send('POST /v1/venues', { as: staff, body: { slug: 'globe', title: 'Globe' }, headers })
  const first = await open()
  expect((await open()).body).toBe(first.body)
})

test('The claim of a holder that never came to be is taken over', async () => {
  const served = await serve()
  await leaveClaim(served, 'globe', 'venue-lost')
  expect((await served.openVenue('found', 'globe')).statusCode).toBe(201)
})

test('Where others write too, it is taken over only when nobody can be about it any more', async () => {
  const served = await serve({ store: sharedStore })
  await leaveClaim(served, 'globe', 'venue-lost')
  expect((await served.openVenue('found', 'globe')).json().code).toBe('venue-slug-taken')
  await served.clock.advance(600_000)
  expect((await served.openVenue('found', 'globe')).statusCode).toBe(201)
})

test('A holder that comes back renews its claim before anybody takes it over', async () => {
  const served = await serve({ store: sharedStore })
  await leaveClaim(served, 'globe', 'venue-late')
  await served.clock.advance(600_000)
  const { clock, engine, vault } = served
  const renewed = claimId(await vault.secret('claims'), 'venue slug', 'globe')
  const before = new Date(clock.now() - 600_000).toISOString()
  const handle = (id: string, owner: string, abandoned?: object) =>
    engine.handler.handle({
      decider: claim,
      target: renewed,
      type: 'Claim',
      data: { owner, noun: 'venue slug', ...(abandoned && { abandoned }) },
      id,
      actor: { kind: 'system', id: 'test' },
      correlationId: 'test',
    })
  await handle('back', 'venue-late')
  const takeover = handle('take', 'venue-other', { owner: 'venue-late', claimedAt: before })
  await expect(takeover).rejects.toThrow('This venue slug is already in use.')
})

test('A claim is not taken over while the outcome of its command is unknown', async () => {
  let holdBack = false
  let held = 0
  const stuck = (store: EventStore): EventStore => ({
    ...store,
    append(stream, ...rest) {
      if (!holdBack || !stream.startsWith('venue-')) return store.append(stream, ...rest)
      held++
      return new Promise(() => undefined)
    },
  })
  const { openVenue, clock } = await serve({ store: stuck })
  holdBack = true
  const unknown = openVenue('slow', 'globe')
  await expect.poll(() => held).toBeGreaterThan(0)
  await clock.advance(10_000)
  expect((await unknown).json().code).toBe('outcome-unknown')
  holdBack = false
  expect((await openVenue('other', 'globe')).json().code).toBe('venue-slug-taken')
})

test('A command that surely came to nothing gives up its claim', async () => {
  let isDown = false
  const failing = (store: EventStore): EventStore => ({
    ...store,
    append(stream, ...rest) {
      const fails = isDown && stream.startsWith('venue-')
      return fails ? Promise.reject(new UnavailableError('store-unavailable', 'No.')) : store.append(stream, ...rest)
    },
  })
  const { openVenue } = await serve({ store: failing })
  isDown = true
  const answer = await openVenue('slow', 'globe')
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('1')
  isDown = false
  expect((await openVenue('other', 'globe')).statusCode).toBe(201)
})

test('A claim is not taken over before the command that it was made for has even come to its aggregate', async () => {
  const { engine, clock, vault, send } = await serve()
  const secret = await vault.secret('claims')
  const onFailure = (error: unknown) => expect.fail(String(error))
  const { holding } = claims({ handler: engine.handler, clock, secret, soleWriter: true, onFailure })
  const actor = { kind: 'staff' as const, id: 'test' }
  const log: string[] = []
  async function open(target: string, until: Promise<void>): Promise<void> {
    const data = { slug: 'globe', title: 'Globe' }
    const command = { decider: venue, target, type: 'OpenVenue', data, id: target, actor, correlationId: 'test' }
    await holding([{ noun: 'venue slug', value: 'globe' }], command, async () => {
      log.push(target)
      await until
      await engine.handler.handle(command)
    })
  }
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  const first = open('one', held)
  await expect.poll(() => log).not.toEqual([])
  const second = open('two', held)
  // Enough other requests for the second one to come as far as it can.
  for (let count = 0; count < 5; count++) await send('GET /v1/venues/none')
  expect(log).toEqual(['one'])
  letGo()
  await first
  await expect(second).rejects.toThrow('This venue slug is already in use.')
})
