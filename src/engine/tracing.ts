import { hash } from 'node:crypto'
import {
  type Attributes,
  type Context,
  context,
  type Link,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { PreconditionError, Rejection } from './errors.ts'

/**
 * Traces, through OpenTelemetry's API alone: what records them is the operator's. The trace of all that follows from a request
 * has the request's correlation id for an id, so that events carry it over every border without a word of their own.
 */

/** What a span is of. No value of it may be personal. */
export interface SpanDetails {
  readonly kind?: 'server' | 'consumer' | 'internal'
  readonly attributes?: Attributes
  /** Correlation ids of what else led to it; the first of them are named. */
  readonly alsoFor?: Iterable<string>
  /** What it is a part of; by default what this function was called in. */
  readonly parent?: Context
}

const tracerName = 'daybook'
const kinds = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL } as const
const mostLinks = 32
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
/** W3C Trace Context, version 00 and what later ones begin with. */
const traceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/

/** Whether anybody records spans. It is asked before everything else, for it costs next to nothing. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(tracerName) !== undefined
}

/** The id of the trace of all that follows from a request: 16 bytes in hex. */
export function traceIdOf(correlationId: string): string {
  const digits = uuid.test(correlationId) ? correlationId.replaceAll('-', '').toLowerCase() : ''
  return /[1-9a-f]/.test(digits.slice(16)) ? digits : hash('sha256', correlationId, 'hex').slice(0, 32)
}

/** The trace of all that follows from a request. What belongs there directly has a parent that nobody records. */
export function traceOf(correlationId: string): Context {
  const traceId = traceIdOf(correlationId)
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId: traceId.slice(16),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
}

/**
 * The span of a caller that sent the header `traceparent`.
 * @returns undefined for what is none; it is to be ignored then
 */
export function callerOf(header: unknown): Context | undefined {
  const [, traceId, spanId, flags] = (typeof header === 'string' && traceparent.exec(header)) || []
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

/** The correlation id of a request that names its trace by the header `traceparent`. */
export function correlationIdOf(header: unknown): string | undefined {
  const caller = callerOf(header)
  const traceId = caller && trace.getSpanContext(caller)?.traceId
  return traceId?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** For work that is of many requests: a trace of its own. */
export const apart: Context = ROOT_CONTEXT

/** What this function is called in, if that is a span; else the trace of a request. */
export function hereOr(correlationId: string): Context {
  const here = context.active()
  return trace.getSpan(here) ? here : traceOf(correlationId)
}

function linksTo(correlationIds: Iterable<string>): Link[] {
  return [...new Set(correlationIds)].slice(0, mostLinks).flatMap((correlationId) => {
    const linked = trace.getSpanContext(traceOf(correlationId))
    return linked ? [{ context: linked, attributes: { 'daybook.correlation_id': correlationId } }] : []
  })
}

/** Begins a span that its caller ends. */
export function startSpan(name: string, details: SpanDetails): { readonly span: Span; readonly context: Context } {
  const { kind = 'internal', attributes = {}, alsoFor = [], parent = context.active() } = details
  const links = linksTo(alsoFor)
  const span = trace.getTracer(tracerName).startSpan(name, { kind: kinds[kind], attributes, links }, parent)
  return { span, context: trace.setSpan(parent, span) }
}

/** Says how a piece of work failed: a broken rule is an answer, and no failure. Messages may name what is nobody's business. */
function failed(span: Span, error: unknown): void {
  if (error instanceof Rejection || error instanceof PreconditionError) {
    span.setAttribute('daybook.rejection', error.code)
    return
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  span.setAttribute('error.type', code ?? (error instanceof Error ? error.name : 'unknown'))
  span.setStatus({ code: SpanStatusCode.ERROR })
}

/**
 * Does a piece of work as one span; where nobody records it, it just does it.
 * @param details is only asked where somebody does
 */
export function traced<Result>(name: string, details: () => SpanDetails, work: () => Promise<Result>): Promise<Result> {
  return isTracing() ? recorded(name, details(), work) : work()
}

async function recorded<Result>(name: string, details: SpanDetails, work: () => Promise<Result>): Promise<Result> {
  const { span, context: within } = startSpan(name, details)
  try {
    return await context.with(within, work)
  } catch (error) {
    failed(span, error)
    throw error
  } finally {
    span.end()
  }
}

/** The wait of a command until it is decided, and what it waits in. */
export interface TracedWait {
  readonly within: Context
  end(): void
}

/** Begins such a wait in what this function is called in. */
export function beginWait(): TracedWait {
  const within = context.active()
  const { span } = startSpan('wait for mailbox', { parent: within })
  return {
    within,
    end() {
      if (span.isRecording()) span.end()
    },
  }
}

/** What process managers and jobs are to OpenTelemetry: consumers of a message. */
export function consuming(name: string, { id, type }: { readonly id: string; readonly type?: string }): Attributes {
  return {
    'messaging.system': 'daybook',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': name,
    'messaging.message.id': id,
    ...(type !== undefined && { 'daybook.event.type': type }),
  }
}
