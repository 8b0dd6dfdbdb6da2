import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { reject } from '../../src/engine/errors.ts'
import { callerOf, correlationIdOf, isTracing, traced, traceIdOf, traceOf } from '../../src/engine/tracing.ts'
import { deposit, handling, withdraw } from './handling.ts'
import { recordSpans } from './recorded-spans.ts'

const correlationId = '4bf92f35-77b3-4da6-a3ce-929d0e0e4736'
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

test('The trace of a request has its correlation id for an id, whatever that is', () => {
  expect(traceIdOf(correlationId)).toBe(traceId)
  expect(trace.getSpanContext(traceOf(correlationId))).toMatchObject({ traceId, isRemote: true })
  expect(traceIdOf('order-of-ada')).toMatch(/^[0-9a-f]{32}$/)
  expect(traceIdOf('order-of-ada')).toBe(traceIdOf('order-of-ada'))
  expect(traceIdOf('order-of-ada')).not.toBe(traceIdOf('order-of-bob'))
  expect(traceIdOf('00000000-0000-0000-0000-000000000000')).toMatch(/[1-9a-f]/)
})

test('A traceparent names its trace, and what is none is ignored', () => {
  const sent = `00-${traceId}-00f067aa0ba902b7-01`
  expect(correlationIdOf(sent)).toBe(correlationId)
  const caller = callerOf(sent)
  expect(caller && trace.getSpanContext(caller)).toMatchObject({ traceId, spanId: '00f067aa0ba902b7', traceFlags: 1 })
  for (const wrong of [
    undefined,
    '',
    `ff-${traceId}-00f067aa0ba902b7-01`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`,
    [sent, sent],
  ]) {
    expect(callerOf(wrong)).toBeUndefined()
  }
})

test('Where nobody records spans, nothing is asked for', async () => {
  expect(isTracing()).toBe(false)
  const unasked = () => {
    throw new Error('nobody may ask')
  }
  expect(await traced('work', unasked, async () => 5)).toBe(5)
})

test('A failure is told by its kind, without its message, and a broken rule is none', async () => {
  const { spans } = recordSpans()
  const failing = (error: Error) =>
    traced(
      'work',
      () => ({}),
      () => Promise.reject(error),
    )
  await expect(failing(new TypeError('ada@example.com is not a function'))).rejects.toThrow()
  await expect(failing(reject('overdrawn', 'There is not enough.'))).rejects.toThrow()
  expect(spans()).toMatchObject([
    { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'TypeError' } },
    { status: { code: SpanStatusCode.UNSET }, attributes: { 'daybook.rejection': 'overdrawn' } },
  ])
  expect(
    JSON.stringify(spans().map(({ attributes, events, status }) => ({ attributes, events, status }))),
  ).not.toContain('ada@')
})

test('A command is a span with its wait, its load, its decision and its append, in the trace of its request', async () => {
  const { spans } = recordSpans()
  const { handler } = handling()
  await handler.handle(deposit(5, { correlationId }))
  const own = spans().filter((span) => span.spanContext().traceId === traceId)
  const handle = own.find(({ name }) => name === 'handle Deposit')
  const parts = own.filter(({ parentSpanContext }) => parentSpanContext?.spanId === handle?.spanContext().spanId)
  expect(parts.map(({ name }) => name).sort()).toEqual(['append', 'decide Deposit', 'load', 'wait for mailbox'])
  expect(own.find(({ name }) => name === 'append')?.attributes).toMatchObject({ 'daybook.events': 1 })
})

test('Commands that are appended together are each in the trace of their own request, and the append names all', async () => {
  const { spans } = recordSpans()
  const { handler } = handling()
  const other = '00000000-77b3-4da6-a3ce-929d0e0e4736'
  await handler.handle(deposit(5))
  await Promise.all([
    handler.handle(deposit(1, { correlationId })),
    handler.handle(withdraw(2, { correlationId: other })),
  ])
  const decided = (name: string) =>
    spans()
      .filter((span) => span.name === name)
      .at(-1)
      ?.spanContext().traceId
  expect(decided('decide Deposit')).toBe(traceId)
  expect(decided('decide Withdraw')).toBe(traceIdOf(other))
  const append = spans().findLast(({ name }) => name === 'append')
  expect(append?.links.map(({ context: linked }) => linked.traceId)).toEqual([traceId, traceIdOf(other)])
})

test('Work within a span is a part of it', async () => {
  const { spans } = recordSpans()
  await traced(
    'outer',
    () => ({ parent: traceOf(correlationId) }),
    async () => {
      expect(trace.getSpan(context.active())?.spanContext().traceId).toBe(traceId)
      await traced(
        'inner',
        () => ({}),
        async () => {},
      )
    },
  )
  const [inner, outer] = spans()
  expect(outer?.name).toBe('outer')
  expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId)
})
