import { EventStoreDBClient, type EventType, jsonEvent, NO_STREAM, type ResolvedEvent } from '@eventstore/db-client'
import sharedMessages from '@eventstore/db-client/generated/shared_pb.js'
import services from '@eventstore/db-client/generated/streams_grpc_pb.js'
import messages from '@eventstore/db-client/generated/streams_pb.js'
import { credentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startEventStoreServerProcess } from './process.ts'
import { type EventStoreServer, startEventStoreServer } from './server.ts'

let server: EventStoreServer
let client: EventStoreDBClient

beforeEach(async () => {
  server = await startEventStoreServer()
  client = EventStoreDBClient.connectionString(server.url)
})

afterEach(async () => {
  await client.dispose()
  await server.stop()
})

const unavailable = { type: 'unavailable' }

function counted(count = 1) {
  return Array.from({ length: count }, (_, number) => jsonEvent({ type: 'Counted', data: { number } }))
}

async function append(count?: number): Promise<bigint> {
  return (await client.appendToStream('counts', counted(count))).nextExpectedRevision
}

/** Appends, and resolves when the server has the events, whatever it answers. */
async function appendUnanswered(): Promise<{ readonly outcome: Promise<unknown> }> {
  const before = await Array.fromAsync(client.readAll())
  const outcome = append().catch((error: unknown) => error)
  await expect.poll(() => Array.fromAsync(client.readAll()), { interval: 2 }).toHaveLength(before.length + 1)
  return { outcome }
}

async function readUntilItFails(events: AsyncIterable<ResolvedEvent<EventType>>) {
  let count = 0
  try {
    for await (const _event of events) count++
    return { count, error: undefined }
  } catch (error) {
    return { count, error }
  }
}

test('dropped connections fail what is under way, and the next append works', async () => {
  await append()
  server.faults.loseNextAnswers(1)
  const { outcome } = await appendUnanswered()
  server.faults.dropConnections()
  expect(await outcome).toMatchObject(unavailable)
  expect(await append()).toBe(2n)
})

test('refused connections fail without a type, until they are taken again', async () => {
  await append()
  await server.faults.refuseConnections()
  expect(await append()).toBe(1n) // On the connection that is there.
  server.faults.dropConnections()
  await expect.poll(() => append().catch((error: unknown) => error)).toMatchObject({ code: 14 })
  await expect(append()).rejects.not.toHaveProperty('type')
  await server.faults.acceptConnections()
  expect(await append()).toBe(2n)
})

test('an answer is lost after the write, and the same ids give it', async () => {
  server.faults.loseNextAnswers(1, true)
  const events = counted()
  const first = () => client.appendToStream('counts', events, { expectedRevision: NO_STREAM })
  await expect(first()).rejects.toMatchObject(unavailable)
  expect(await first()).toMatchObject({ nextExpectedRevision: 0n })
  expect(await Array.fromAsync(client.readStream('counts'))).toHaveLength(1)
})

test('a node that stops breaks off what is under way, comes back with its log, and the first append works', async () => {
  await append()
  server.faults.loseNextAnswers(1)
  const { outcome } = await appendUnanswered()
  await server.restart('stopping')
  expect(await outcome).toMatchObject({ type: 'unknown', code: 13 })
  expect(await append()).toBe(2n)
})

test('a node that is killed and comes back does so too', async () => {
  await append()
  server.faults.loseNextAnswers(1)
  const { outcome } = await appendUnanswered()
  await server.goDown('killed')
  expect(await outcome).toMatchObject(unavailable)
  await expect(append()).rejects.toMatchObject({ code: 14 })
  await server.comeUp()
  expect(await append()).toBe(2n)
})

test('a frozen server answers nothing, not even pings, and goes on where it was', async () => {
  vi.spyOn(console, 'warn').mockReturnValue(undefined) // The client warns of short intervals.
  const impatient = EventStoreDBClient.connectionString(`${server.url}&keepAliveInterval=50&keepAliveTimeout=50`)
  const first = (of: EventStoreDBClient) => Array.fromAsync(of.readAll({ maxCount: 1 }))
  await Promise.all([first(impatient), first(client)])
  server.faults.freeze()
  const patience = first(client)
  await expect(first(impatient)).rejects.toMatchObject({ code: 14 })
  server.faults.thaw()
  expect(await patience).toHaveLength(1)
  await impatient.dispose()
})

test('it thaws by itself after the time that it was given', async () => {
  await append()
  server.faults.freeze(30)
  expect(await append()).toBe(1n)
})

test('delayed answers come later, and in their order', async () => {
  await append()
  server.faults.delayAnswers(40)
  const begunMs = performance.now()
  expect(await Promise.all([append(), append(), append()])).toEqual([1n, 2n, 3n])
  // A timer may be a millisecond early.
  expect(performance.now() - begunMs).toBeGreaterThan(38)
})

test('a read is cut in its middle', async () => {
  await append(50)
  server.faults.cutReadsAfter(20)
  expect(await readUntilItFails(client.readStream('counts'))).toMatchObject({ count: 20, error: { code: 14 } })
  // The client notices late that it needs another connection.
  await expect.poll(() => readUntilItFails(client.readStream('counts'))).toMatchObject({ count: 50 })
})

test('a subscription is cut in its middle, which its confirmation counts towards', async () => {
  await append(50)
  server.faults.cutReadsAfter(20)
  const cut = await readUntilItFails(client.subscribeToStream('counts'))
  expect(cut).toMatchObject({ count: 19, error: { code: 14 } })
})

test('subscriptions of readers that are too slow are ended', async () => {
  const subscription = client.subscribeToAll()
  const ended = new Promise((resolve) => subscription.once('error', resolve))
  await new Promise((resolve) => subscription.once('caughtUp', resolve))
  server.faults.abortSubscriptions()
  expect(await ended).toMatchObject({ type: 'timeout', code: 10 })
})

test('a reader that reads nothing while much is appended is too slow', async () => {
  await using strict = await startEventStoreServer({ maxLiveBacklog: 100 })
  const reader = EventStoreDBClient.connectionString(strict.url)
  const subscription = reader.subscribeToAll()
  await new Promise((resolve) => subscription.once('caughtUp', resolve))
  const ended = new Promise((resolve) => subscription.once('error', resolve))
  subscription.pause()
  for (let filled = 0; filled < 30; filled++) {
    const events = Array.from({ length: 50 }, () => jsonEvent({ type: 'Filled', data: 'x'.repeat(5_000) }))
    await reader.appendToStream('large', events)
  }
  expect(await ended).toMatchObject({ type: 'timeout', code: 10 })
  await reader.dispose()
})

test('a batch append is answered twice', async () => {
  server.faults.repeatNextAnswers(1)
  const raw = new services.StreamsClient(`127.0.0.1:${server.port}`, credentials.createInsecure())
  const call = raw.batchAppend()
  const answers: string[] = []
  call.on('data', (answer: InstanceType<typeof messages.BatchAppendResp>) =>
    answers.push(answer.getCorrelationId()?.getString() ?? ''),
  )
  const correlationId = new sharedMessages.UUID()
  correlationId.setString('6ba7b810-9dad-11d1-80b4-00c04fd430c8')
  const identifier = new sharedMessages.StreamIdentifier()
  identifier.setStreamName(Buffer.from('counts'))
  const options = new messages.BatchAppendReq.Options()
  options.setStreamIdentifier(identifier)
  const request = new messages.BatchAppendReq()
  request.setCorrelationId(correlationId)
  request.setOptions(options)
  request.setIsFinal(true)
  call.write(request)
  await expect.poll(() => answers).toEqual([correlationId.getString(), correlationId.getString()])
  const ended = new Promise((resolve) => call.once('end', resolve))
  call.end()
  await ended
  raw.close()
})

test('in a process of its own it is told by HTTP what to do, and can be stopped', async () => {
  await using apart = await startEventStoreServerProcess()
  const user = EventStoreDBClient.connectionString(apart.url)
  await user.appendToStream('counts', counted())
  await apart.control('restart', 'killed')
  expect(await user.appendToStream('counts', counted())).toMatchObject({ nextExpectedRevision: 1n })
  await apart.control('loseNextAnswers', 1, true)
  await expect(user.appendToStream('counts', counted())).rejects.toMatchObject(unavailable)
  await expect(apart.control('loseNextAnswers', -1)).rejects.toThrow('>=0')
  apart.signal('SIGSTOP')
  const outcome = user.appendToStream('counts', counted())
  apart.signal('SIGCONT')
  expect(await outcome).toMatchObject({ nextExpectedRevision: 3n })
  await user.dispose()
})
