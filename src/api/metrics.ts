import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { AggregationType, MeterProvider } from '@opentelemetry/sdk-metrics'
import type { ProjectionStatus } from '../engine/projection-status.ts'
import { type Health, readiness } from './health.ts'

/** What is counted as it happens. */
export interface Metrics {
  /** @param route as it was declared, with parameters in braces */
  request(method: string, route: string, status: number, seconds: number): void
  command(name: string, outcome: CommandOutcome): void
  /** Serves `/metrics`, and `/health/live` and `/health/ready` as the API does; returns the port. */
  listen(port: number, host: string): Promise<number>
  close(): Promise<void>
}

export type CommandOutcome = 'accepted' | 'rejected' | 'unavailable' | 'failed'

/** What is asked for when somebody looks. */
export interface MetricSources {
  projections(): readonly ProjectionStatus[]
  /** How far each process manager has come. */
  processes(): readonly { readonly name: string; readonly position: number }[]
  waitingCommands(): number
  health(): Health
  /** True once the process has begun to stop. */
  isDraining(): boolean
}

const delayResolutionMs = 10
const durationBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Metrics of one server for Prometheus. Nothing global is set, so that several can run in a process. */
export function metrics(sources: MetricSources): Metrics {
  const exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true, withoutTargetInfo: true })
  const provider = new MeterProvider({
    readers: [exporter],
    views: [
      {
        instrumentName: 'daybook_http_request_duration_seconds',
        aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: durationBoundaries } },
      },
    ],
  })
  const meter = provider.getMeter('daybook')
  const durations = meter.createHistogram('daybook_http_request_duration_seconds', {
    description: 'Time to answer a request, by route and status',
  })
  const commands = meter.createCounter('daybook_commands_total', { description: 'Commands, by name and outcome' })

  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description })
  const position = gauge('daybook_projection_position', 'Position that a projection has reached')
  const lag = gauge('daybook_projection_lag', 'Positions that a projection is behind the log')
  const live = gauge('daybook_projection_live', '1 for a projection that is live, 0 for one that is built or stopped')
  meter.addBatchObservableCallback(
    (result) => {
      for (const { name: projection, status, ...each } of sources.projections()) {
        result.observe(position, each.position, { projection })
        result.observe(lag, each.lag, { projection })
        result.observe(live, status === 'live' ? 1 : 0, { projection })
      }
    },
    [position, lag, live],
  )
  gauge('daybook_process_position', 'Position that a process manager has reached').addCallback((result) => {
    for (const process of sources.processes()) result.observe(process.position, { process: process.name })
  })
  gauge('daybook_commands_waiting', 'Commands that wait for an answer').addCallback((result) =>
    result.observe(sources.waitingCommands()),
  )
  gauge('daybook_degraded', 'Parts that do not work as they should').addCallback((result) =>
    result.observe(sources.health().degraded.length),
  )

  // What it measures are the times between its own timers, which are on time with a delay of their resolution.
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs })
  delay.enable()
  const loop = gauge('daybook_event_loop_delay_seconds', 'Delay of the event loop since the last look, by quantile')
  loop.addCallback((result) => {
    for (const quantile of [0.5, 0.99, 0.999]) {
      const lateMs = delay.percentile(quantile * 100) / 1e6 - delayResolutionMs
      result.observe(Math.max(0, lateMs) / 1_000, { quantile })
    }
    delay.reset()
  })
  const memory = gauge('daybook_memory_bytes', 'Memory of the process, by kind')
  memory.addCallback((result) => {
    const { heapUsed, heapTotal, rss } = process.memoryUsage()
    for (const [kind, bytes] of Object.entries({ heapUsed, heapTotal, rss })) result.observe(bytes, { kind })
  })

  function answer(response: ServerResponse, code: number, body: unknown): void {
    response.writeHead(code, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
  }

  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?')[0] : undefined
    if (path === '/metrics') exporter.getMetricsRequestHandler(request, response)
    else if (path === '/health/live') answer(response, 200, { status: 'live' })
    else if (path === '/health/ready') {
      const { code, body } = readiness(sources.health(), sources.isDraining())
      answer(response, code, body)
    } else response.writeHead(404).end()
  })

  return {
    request: (method, route, status, seconds) => durations.record(seconds, { method, route, status }),
    command: (name, outcome) => commands.add(1, { command: name, outcome }),
    async listen(port, host) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, host, resolve)
      })
      const address: AddressInfo | string | null = server.address()
      return typeof address === 'object' && address !== null ? address.port : port
    },
    async close() {
      delay.disable()
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
      await provider.shutdown()
    },
  }
}
