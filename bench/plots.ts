import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BarChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { columns, row, shownNumber } from './report.ts'
import { type Result, readResults } from './result.ts'

/** `node bench/plots.ts`: what is in bench/results/, as the table and the plots of docs/performance.md. */

use([BarChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer])

type Measured = Result['figures'][number]

interface Bar {
  readonly label: string
  readonly figure: Measured
}

const documents = join(import.meta.dirname, '..', 'docs')
const [begin, end] = ['<!-- results -->', '<!-- end of results -->']
const colours = { daybook: '#2f6f9f', limit: '#b9c4cc', missed: '#c0563b', rounds: '#111111' }
const barHeight = 26
const width = 900

/** The figures of all benchmarks, those first that come first in the plots, so the last ones of the axis. */
function barsOf(results: readonly Result[], isShown: (figure: Measured) => boolean): readonly Bar[] {
  const bars = results.flatMap(({ name, figures }) =>
    figures.filter(isShown).map((figure) => ({ label: `${name}: ${figure.name}`, figure })),
  )
  return bars.toReversed()
}

function svg(title: string, subtext: string, option: EChartsCoreOption, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { left: 10, text: title, subtext },
    ...option,
  })
  const drawn = chart.renderToSVGString()
  chart.dispose()
  // For those who can't see it.
  return drawn.replace('>', `><title>${title}</title>`)
}

/** How near each figure is to its goal: 1 reaches it, and further right is better whatever is measured. */
function goals(results: readonly Result[]): string {
  const bars = barsOf(results, ({ goal }) => goal !== undefined)
  const share = ({ figure, goal, ratio = Number.NaN }: Measured) => {
    if (goal === undefined) return Number.NaN
    const measured = goal.of === 'ratio' ? ratio : figure.median
    return goal.is === 'at least' ? measured / goal.value : goal.value / Math.max(measured, Number.MIN_VALUE)
  }
  const height = 110 + bars.length * barHeight
  return svg(
    'Each figure against its goal',
    'right of the line it is reached; logarithmic',
    {
      grid: { left: 320, right: 40, top: 70, bottom: 30 },
      xAxis: { type: 'log', min: 0.05, max: 20, axisLabel: { formatter: (value: number) => `${value}×` } },
      yAxis: { type: 'category', data: bars.map(({ label }) => label) },
      series: [
        {
          type: 'scatter',
          symbolSize: 13,
          data: bars.map(({ figure }, place) => ({
            value: [Math.min(20, Math.max(0.05, share(figure))), place],
            itemStyle: { color: figure.reached === true ? colours.daybook : colours.missed },
          })),
          markLine: {
            symbol: 'none',
            silent: true,
            label: { show: false },
            lineStyle: { color: colours.rounds, type: 'solid' },
            data: [{ xAxis: 1 }],
          },
        },
      ],
    },
    height,
  )
}

/** Throughputs with every round, beside the limit measured in the same run. */
function throughputs(results: readonly Result[]): string {
  const bars = barsOf(results, ({ unit }) => unit.endsWith('/s'))
  const medians = (of: (figure: Measured) => number | undefined) => bars.map(({ figure }) => of(figure) ?? null)
  const rounds = bars.flatMap(({ figure }, place) => figure.figure.rounds.map((value) => [value, place]))
  return svg(
    'What is done in a second',
    'medians; a dot for each round; logarithmic',
    {
      legend: { data: ['Daybook', 'limit'], right: 20, top: 10 },
      grid: { left: 320, right: 90, top: 70, bottom: 30 },
      xAxis: { type: 'log', min: 10, axisLabel: { formatter: shownNumber } },
      yAxis: { type: 'category', data: bars.map(({ label, figure }) => `${label} (${figure.unit})`) },
      series: [
        {
          name: 'limit',
          type: 'bar',
          itemStyle: { color: colours.limit },
          data: medians((each) => each.measuredLimit?.median),
        },
        {
          name: 'Daybook',
          type: 'bar',
          itemStyle: { color: colours.daybook },
          label: { show: true, position: 'right', formatter: ({ value }: { value: number }) => shownNumber(value) },
          data: medians((each) => each.figure.median),
        },
        { type: 'scatter', symbolSize: 4, itemStyle: { color: colours.rounds }, data: rounds },
      ],
    },
    110 + bars.length * barHeight * 1.6,
  )
}

function markdownTable(results: readonly Result[]): string {
  const rows = results.flatMap((result) => result.figures.map((figure) => row(result.name, figure)))
  const lines = [[...columns], columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return lines.join('\n')
}

/** What was measured, against which limit. */
function descriptions(results: readonly Result[]): string {
  return results
    .map(({ name, title, figures }) => {
      const limits = new Set(figures.flatMap(({ limit }) => limit ?? []))
      const against = limits.size === 0 ? '' : ` Limit: ${[...limits].join('; ')}.`
      return `- **${name}**: ${title}.${against}`
    })
    .join('\n')
}

function surroundings(results: readonly Result[]): string {
  const of = (value: (result: Result) => string) => [...new Set(results.map(value))].join('; ')
  const gigabytes = (bytes: number) => `${Math.round(bytes / 1e9)} GB`
  return [
    `Machine: ${of(({ machine }) => `${machine.cpu}, ${machine.cores} cores, ${gigabytes(machine.memoryBytes)}, ${machine.system}, ${machine.fileSystem}`)}.`,
    `Node.js ${of(({ node }) => node)}; Daybook ${of(({ daybook }) => `${daybook.version} at ${daybook.commit}`)};`,
    `measured ${of(({ date }) => date.slice(0, 10))}.`,
  ].join('\n')
}

/** Puts the results into docs/performance.md, between its two marks, and the plots beside it. */
export function writeDocuments(): void {
  const results = readResults()
  writeFileSync(join(documents, 'performance-goals.svg'), goals(results))
  writeFileSync(join(documents, 'performance-throughput.svg'), throughputs(results))
  const file = join(documents, 'performance.md')
  const text = readFileSync(file, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from)
    throw new Error(`${file} must have the lines ${begin} and ${end}, the results go between them`)
  const written = [
    begin,
    '',
    surroundings(results),
    '',
    markdownTable(results),
    '',
    descriptions(results),
    '',
    '',
  ].join('\n')
  writeFileSync(file, `${text.slice(0, from)}${written}${text.slice(to)}`)
}

if (import.meta.main) writeDocuments()
