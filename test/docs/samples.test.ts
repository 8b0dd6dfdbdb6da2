import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSampleProject, type SampleProject } from './sample-project.ts'
import { byPage, type Sample, samples } from './samples.ts'

const longestMs = 180_000
const nameOf = ({ page, line }: Sample) => `${page}:${line}`
const toRun = samples.filter(
  ({ notRun, runBy, excerptOf }) => notRun === undefined && runBy === undefined && excerptOf === undefined,
)
const inLanguage = (language: 'sh' | 'ts' | 'js' | 'json') => toRun.filter((sample) => sample.language === language)

/** A sample that imports something begins a module; one that does not goes on with that of the sample before it on the page. */
function modulesOf(language: 'ts' | 'js'): ReadonlyMap<string, string> {
  const modules = new Map<string, string>()
  for (const [page, found] of byPage(inLanguage(language))) {
    let name = ''
    for (const { line, file, text } of found) {
      if (file !== undefined) {
        modules.set(file, text)
        continue
      }
      if (name === '' || /^import /m.test(text)) name = `samples/${page.replace('.md', '')}-${line}.${language}`
      modules.set(name, [modules.get(name) ?? '', text].join('\n'))
    }
  }
  return modules
}

const typed = modulesOf('ts')
const untyped = modulesOf('js')
const programs = [...typed.keys(), ...untyped.keys()].filter((path) => path.startsWith('samples/'))
const testFiles = [...typed.keys()].filter((path) => path.endsWith('.test.ts'))

describe('Code samples of the documentation', () => {
  let project: SampleProject
  beforeAll(async () => {
    project = await openSampleProject()
    for (const [path, text] of [...typed, ...untyped]) project.write(path, project.address(text))
  }, longestMs)
  afterAll(async () => await project?.remove())

  test('TypeScript is right by its types', { timeout: longestMs }, async () => {
    project.write(
      'tsconfig.samples.json',
      JSON.stringify({
        extends: './tsconfig.json',
        // A sample may make what the next one on the page would use.
        compilerOptions: { noUnusedLocals: false },
        include: [...typed.keys()],
      }),
    )
    await project.node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.samples.json')
  })

  test.runIf(testFiles.length > 0)('Tests among them pass', { timeout: longestMs }, async () => {
    await project.node('--test', ...testFiles)
  })

  test.each(programs)('%s runs', { timeout: longestMs }, async (path) => {
    await project.program(path)
  })

  test.each([...byPage(inLanguage('sh'))])('The commands of %s run', { timeout: longestMs }, async (_, commands) => {
    await project.shell(commands)
  })
})

test.each(inLanguage('json').map((sample) => [nameOf(sample), sample.text]))('%s is JSON', (_, text) => {
  JSON.parse(text)
})

const excerpts = samples.flatMap(({ excerptOf, ...sample }) =>
  excerptOf === undefined ? [] : [{ ...sample, excerptOf }],
)
test.each(excerpts.map((sample) => [nameOf(sample), sample.excerptOf, sample.text]))('%s is in %s', (_, file, text) => {
  expect(readFileSync(file, 'utf8')).toContain(text)
})

const runElsewhere = samples.flatMap(({ runBy, ...sample }) => (runBy === undefined ? [] : [{ ...sample, runBy }]))
test.each(runElsewhere.map((sample) => [nameOf(sample), sample.runBy, sample.page]))(
  '%s is run by %s',
  (_, file, page) => {
    expect(readFileSync(file, 'utf8')).toContain(`samplesRunBy('${file}', '${page}')`)
  },
)

const notRun = samples.filter((sample) => sample.notRun !== undefined)
test.each(notRun.map((sample) => [nameOf(sample), sample.notRun]))('%s is not run: %s', (_, reason) => {
  expect(reason).toMatch(/^it \w/)
})
