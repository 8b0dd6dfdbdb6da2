import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { metrics } from '../../src/api/metrics.ts'
import { forReading } from '../../src/shop.ts'
import { sources } from '../api/metric-sources.ts'

const presentShop = forReading([])

/** The dashboard, the alerts and the list of metrics name what there is, and all of it. */

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

interface Metric {
  readonly type: string
  readonly labels: Set<string>
}

/** What Prometheus itself adds to everything that it scrapes. */
const labelsOfScrapes = ['instance', 'job', 'le']
/** Shown nowhere, and why. */
const leftOut = new Map<string, string>([
  ['daybook_process_position', 'a number that only says something beside the log’s own: its lag in seconds is shown'],
])

const found = new Map<string, Metric>()

beforeAll(async () => {
  const measured = metrics(sources)
  measured.request('GET', '/v1/products', 200, 0.01)
  measured.command('openCart', 'accepted')
  const port = await measured.listen(0, '127.0.0.1')
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  await measured.close()
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
    found.set(name, { type, labels: new Set() })
  for (const [, sample = '', labels = ''] of text.matchAll(/^([a-z_]+)(?:\{(.*?)\})? \S+/gm)) {
    const metric = metricOf(sample)
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) metric?.labels.add(label)
  }
})

/** A histogram has several series. */
function metricOf(series: string): Metric | undefined {
  return found.get(series) ?? found.get(series.replace(/_(?:bucket|sum|count)$/, ''))
}

const nameOf = (series: string) => (found.has(series) ? series : series.replace(/_(?:bucket|sum|count)$/, ''))

/** Names of metrics, and the labels that are asked for of them, in an expression of PromQL. */
function seriesIn(expression: string) {
  return [...expression.matchAll(/(rate\(|increase\()?\b(daybook_[a-z_]+)(?:\{([^}]*)\})?/g)].map(
    ([, counted, series = '', matchers = '']) => ({
      series,
      isCounted: counted !== undefined,
      labels: [...matchers.matchAll(/(\w+)\s*(?:=|!)/g)].map(([, label = '']) => label),
    }),
  )
}

function check(expression: string): void {
  const all = seriesIn(expression)
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/, */))
  const known = new Set(labelsOfScrapes)
  for (const { series, isCounted, labels } of all) {
    const metric = metricOf(series)
    expect(metric, `${series} in ${expression}`).toBeDefined()
    for (const label of metric?.labels ?? []) known.add(label)
    for (const label of labels) expect([...labelsOfScrapes, ...(metric?.labels ?? [])], expression).toContain(label)
    expect(isCounted, `${series} in ${expression}`).toBe(metric?.type !== 'gauge')
  }
  for (const label of grouped) expect([...known], expression).toContain(label)
}

const Dashboard = z.object({
  title: z.string(),
  panels: z.array(
    z.object({
      id: z.int(),
      title: z.string(),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).optional(),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
})

describe('the dashboard', () => {
  const { panels, templating } = Dashboard.parse(JSON.parse(read('deploy/grafana-dashboard.json')))
  const targets = panels.flatMap((panel) => panel.targets ?? [])

  test('asks for metrics that there are, by labels that they have, each by its type', () => {
    expect(targets.length).toBeGreaterThan(30)
    for (const { expr } of targets) check(expr)
    for (const { definition = '' } of templating.list)
      for (const { series } of seriesIn(definition)) expect(found.has(series)).toBe(true)
  })

  test('names each line by labels that its query leaves', () => {
    for (const { expr, legendFormat } of targets) {
      const labels = new Set([
        ...labelsOfScrapes,
        ...seriesIn(expr).flatMap(({ series }) => [...(metricOf(series)?.labels ?? [])]),
      ])
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(labels).toContain(label)
    }
  })

  test('shows every metric but those that are left out for a reason', () => {
    const shown = new Set(targets.flatMap(({ expr }) => seriesIn(expr).map(({ series }) => nameOf(series))))
    expect(new Set(found.keys()).difference(shown)).toEqual(new Set(leftOut.keys()))
  })

  test('has its panels beside each other, each once', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
  })
})

describe('the alerts', () => {
  const Rules = z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            alert: z.string(),
            expr: z.string(),
            labels: z.object({ severity: z.enum(['page', 'ticket']) }),
            annotations: z.object({ summary: z.string(), description: z.string() }),
          }),
        ),
      }),
    ),
  })
  const rules = Rules.parse(parse(read('deploy/prometheus-rules.yml'))).groups.flatMap((group) => group.rules)

  test('ask for metrics that there are, by labels that they have', () => {
    expect(rules.length).toBeGreaterThan(10)
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length)
    for (const { expr } of rules) if (!expr.startsWith('up{')) check(expr)
  })
})

test('The guide for operators lists every metric, and none that there is not', () => {
  const listed = new Set([...read('docs/operations.md').matchAll(/`(daybook_[a-z_]+)/g)].map(([, name = '']) => name))
  expect(listed).toEqual(new Set(found.keys()))
})

test('The guide says what discarding means for each process and each kind of work', () => {
  const [, table = ''] = read('docs/operations.md').split('| discarded | means |')
  const [rows = ''] = table.split('\n\n')
  for (const { name } of [...presentShop.processes, ...presentShop.jobs]) expect(rows).toContain(`\`${name}\``)
})
