import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { AggregationType, MeterProvider } from '@opentelemetry/sdk-metrics'
import type { Clock } from '../engine/clock.ts'
import { watchEventLoop } from './event-loop.ts'
import { type Health, readiness } from './health.ts'
import { observeFigures, observeProcess } from './observed-figures.ts'
import type { SystemFigures } from './system-figures.ts'

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
  /** Of Daybook. */
  readonly version: string
  figures(): Promise<SystemFigures>
  health(): Health
  /** True once the process has begun to stop. */
  isDraining(): boolean
  readonly clock: Pick<Clock, 'now'>
}

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

  observeFigures(meter, sources)
  const eventLoop = watchEventLoop()
  observeProcess(meter, eventLoop)

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
      eventLoop.stop()
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
      await provider.shutdown()
    },
  }
}
