import { expect, test } from 'vitest'
import { z } from 'zod'
import { shopper, staff } from '../src/engine/access.ts'
import { type CommandDefinition, command } from '../src/engine/command-definition.ts'
import { decider } from '../src/engine/decider.ts'
import { defineEvents, type EventOf } from '../src/engine/events.ts'
import { personal } from '../src/engine/personal-data.ts'
import { collection, projection } from '../src/engine/projection.ts'
import { documentQuery } from '../src/engine/query-definition.ts'
import { idOf } from '../src/engine/streams.ts'
import { type Extension, ExtensionError, loadExtensions } from '../src/extension.ts'
import { forReading } from '../src/shop.ts'
import type { PaymentGateway } from '../src/workers/payment-gateway.ts'
import { openShop } from './integration/open-shop.ts'
import { guest } from './integration/shop-client.ts'
import { startServer } from './server-process.ts'

const noteEvents = defineEvents('note', { NoteWritten: z.object({}) })
const note = decider({
  events: noteEvents,
  commands: { WriteNote: z.strictObject({}) },
  initial: {},
  evolve: (state) => state,
  decide: { WriteNote: () => [] },
})
const documents = collection('notes', z.object({ id: z.string() }), {})

function projectionCalled(name: string) {
  return projection({ name, version: 1, collections: [documents], from: [noteEvents], on: {} })
}

function query({ name = 'getNote', path = 'v1/notes/{id}', scope = 'orders', from = 'notes' }) {
  return documentQuery({
    name,
    route: `GET /${path}`,
    summary: 'A note',
    who: staff(scope),
    from: projectionCalled(from),
    of: documents,
    parameters: z.object({ id: z.string() }),
    id: ({ id }) => id,
  })
}

const gateway: PaymentGateway = {
  name: 'sandbox',
  authorise: async () => ({ status: 'succeeded', reference: '' }),
  capture: async () => ({ status: 'succeeded', reference: '' }),
  refund: async () => ({ status: 'succeeded', reference: '' }),
  cancel: async () => ({ status: 'succeeded', reference: '' }),
  parseCallback() {
    throw new Error('There are none')
  },
}

function extension(parts: Partial<Extension>): Extension {
  return { name: 'notes', module: import.meta.url, ...parts }
}

const projections = [projectionCalled('notes')]

test.each<[string, Partial<Extension>, string]>([
  ['a name that is none', { name: 'My Notes' }, 'kebab-case'],
  ['a module that is no address', { module: './notes.ts' }, 'import.meta.url'],
  ['an aggregate twice', { aggregates: [note, note] }, 'two aggregates called note'],
  ['a projection that every shop has', { projections: [projectionCalled('orders')] }, 'two projections called orders'],
  ['the projection of open work', { projections: [projectionCalled('open-work')] }, 'called open-work'],
  ['a gateway twice', { gateways: [gateway, gateway] }, 'two payment gateways called sandbox'],
  ['a query of nothing', { queries: [query({})] }, 'projection notes, which is not there'],
  ['a path elsewhere', { projections, queries: [query({ path: 'openapi.json/{id}' })] }, 'begin with /v1/'],
  ['a scope that no key has', { projections, queries: [query({ scope: 'notes' })] }, 'no API key can have'],
])('%s does not fit', (_what, parts, message) => {
  expect(() => forReading([extension(parts)])).toThrow(message)
})

test.each<[string, Partial<Extension>, string]>([
  ['the name of an operation', { projections, queries: [query({ name: 'logIn' })] }, 'logIn'],
  ['the name of a command', { projections, queries: [query({ name: 'createProduct' })] }, 'createProduct'],
  ['a route that is taken', { projections, queries: [query({ path: 'v1/orders/{id}' })] }, 'GET /v1/orders/{id}'],
])('a shop does not start with %s once more', async (_what, parts, message) => {
  await expect(openShop({}, undefined, [extension(parts)])).rejects.toThrow(`${message}`)
})

test('a command that nobody else has is taken', () => {
  const write = command({
    name: 'writeNote',
    route: 'PUT /v1/notes/{id}',
    summary: 'Write a note',
    who: staff('orders'),
    target: note,
    type: 'WriteNote',
  })
  const shop = forReading([extension({ aggregates: [note], commands: [write], projections, queries: [query({})] })])
  expect(shop.commands).toContain(write)
})

const Message = z.strictObject({ subject: z.string(), text: personal(z.string()) })
const messageEvents = defineEvents('message', { MessageWritten: z.object(Message.shape) })
const message = decider({
  events: messageEvents,
  commands: { WriteMessage: Message },
  initial: {},
  evolve: (state) => state,
  decide: { WriteMessage: (data): EventOf<typeof messageEvents>[] => [{ type: 'MessageWritten', data }] },
})
const messageDocuments = collection('messages', Message.extend({ id: z.string() }), {})
const messages = projection({
  name: 'messages',
  version: 1,
  collections: [messageDocuments],
  from: [messageEvents],
  on: {
    MessageWritten: ({ stream, data }) => messageDocuments.change(idOf(stream), () => ({ id: idOf(stream), ...data })),
  },
})
const getMessage = documentQuery({
  name: 'getMessage',
  route: 'GET /v1/messages/{id}',
  summary: 'A message',
  who: staff('orders'),
  from: messages,
  of: messageDocuments,
  parameters: z.object({ id: z.string() }),
  id: ({ id }) => id,
})

function writeMessage(personOf?: CommandDefinition['personOf']) {
  return command({
    name: 'writeMessage',
    route: 'POST /v1/messages',
    summary: 'Write a message',
    who: shopper(),
    target: message,
    type: 'WriteMessage',
    creates: { location: '/v1/messages/{id}' },
    ...(personOf && { personOf }),
  })
}

test('a command with personal data fits only where it says whose they are', () => {
  const fitted = (write: CommandDefinition) => () =>
    forReading([extension({ aggregates: [message], commands: [write] })])
  expect(fitted(writeMessage())).toThrow(ExtensionError)
  expect(fitted(writeMessage())).toThrow('writeMessage takes personal data and does not say whose')
  expect(fitted(writeMessage())).toThrow('personOf: ({ principal }) => principal.id')
  expect(fitted(writeMessage(({ principal }) => principal.id))).not.toThrow()
})

test('what its command took of a person goes when the person is forgotten', async () => {
  const parts = { aggregates: [message], projections: [messages], queries: [getMessage] }
  const commands = [writeMessage(({ principal }) => principal.id)]
  const shop = await openShop({}, undefined, [extension({ ...parts, commands })])
  const { customerId, token } = await guest(shop)
  const { body } = await shop.post('/v1/messages', { subject: 'Tea', text: 'From Ada' }, { token })
  expect(await shop.get(`/v1/messages/${body.id}`)).toMatchObject({ subject: 'Tea', text: 'From Ada' })
  await shop.post(`/v1/customers/${customerId}/forget`)
  await expect.poll(() => shop.get(`/v1/messages/${body.id}`)).toMatchObject({ subject: 'Tea', text: null })
})

test('a module that does not export what is looked for says so', async () => {
  await expect(loadExtensions([{ name: 'notes', module: import.meta.url }])).rejects.toThrow('does not export')
})

test('the plain command warns of read models that only the shop of its own knows', { timeout: 60_000 }, async () => {
  const { directory, close } = await openShop({}, undefined, [extension({ aggregates: [note], projections })])
  await close()
  await using plain = startServer({ directory })
  await plain.ready()
  const warnings = () => plain.output().match(/"msg":"[^"]*does not know[^"]*"/g)
  await expect.poll(warnings).toEqual([expect.stringMatching(/does not know: notes\. .*node main\.ts serve/)])
})
