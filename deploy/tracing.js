// Sends Daybook's traces to a collector by OTLP: node --import ./tracing.js, with the packages that are imported here installed.
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BatchSpanProcessor, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace'

// By its id alone, so that every process keeps the same traces whole. The address is OTEL_EXPORTER_OTLP_ENDPOINT.
const provider = new TracerProvider({
  sampler: new TraceIdRatioBasedSampler(1),
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
})
trace.setGlobalTracerProvider(provider)
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void provider.forceFlush())
