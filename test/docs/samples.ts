import { globSync, readFileSync } from 'node:fs'

/** The code samples of the documentation, and what is said behind their language: ```ts {excerpt of src/shop.ts}. */

export interface Sample {
  readonly page: string
  /** Of its first line in the page. */
  readonly line: number
  readonly language: string
  readonly text: string
  /** Why it can't be run here. */
  readonly notRun?: string
  /** The test that has all that it needs, and runs it by `samplesRunBy`. */
  readonly runBy?: string
  /** The file that it is a part of. */
  readonly excerptOf?: string
  /** The file that it is, by its first line: `// src/domain/gift-card.ts`. */
  readonly file?: string
}

const runnable: ReadonlySet<string> = new Set(['sh', 'ts', 'js', 'json'])
/** Nothing of it can be run. Blocks without a language are what a program prints. */
const shown: ReadonlySet<string> = new Set(['mermaid'])

/** Decisions tell of what was once. */
const pages = globSync(['README.md', 'docs/*.md']).toSorted()

function marksOf(mark: string): Pick<Sample, 'notRun' | 'runBy' | 'excerptOf'> | undefined {
  const [, notRun] = /^\{not run: (.+)\}$/.exec(mark) ?? []
  if (notRun !== undefined) return { notRun }
  const [, runBy] = /^\{run by (\S+)\}$/.exec(mark) ?? []
  if (runBy !== undefined) return { runBy }
  const [, excerptOf] = /^\{excerpt of (\S+)\}$/.exec(mark) ?? []
  return excerptOf === undefined ? undefined : { excerptOf }
}

function samplesOf(page: string): readonly Sample[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^( *)```(\w+) *([^\n]*)\n(.*?)^\1```$/gms)
  return Array.from(blocks).flatMap(
    ({ 1: indent = '', 2: language = '', 3: mark = '', 4: indented = '', index, input }): Sample[] => {
      if (shown.has(language)) return []
      const line = input.slice(0, index).split('\n').length + 1
      const marks = marksOf(mark)
      if (marks === undefined && (mark !== '' || !runnable.has(language))) {
        throw new Error(
          `${page}:${line} can't be run: ${language} ${mark}. Mark it with {excerpt of FILE}, {run by TEST} or {not run: REASON}.`,
        )
      }
      const text = indented.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
      const [, file] = /^\/\/ ([\w./-]+\.ts)\n/.exec(text) ?? []
      return [{ page, line, language, text, ...marks, ...(file !== undefined && { file }) }]
    },
  )
}

/** All samples, in the order of their pages. */
export const samples: readonly Sample[] = pages.flatMap(samplesOf)

/**
 * The samples of a page that a test of its own runs.
 * @param test its file, from the root of the repository
 * @throws Error where there are none
 */
export function samplesRunBy(test: string, page: string): readonly [Sample, ...Sample[]] {
  const [first, ...others] = samples.filter((sample) => sample.runBy === test && sample.page === page)
  if (first === undefined) throw new Error(`${page} has no sample that is marked with {run by ${test}}.`)
  return [first, ...others]
}

/** Samples by their pages, in their order. */
export function byPage(some: readonly Sample[]): ReadonlyMap<string, readonly Sample[]> {
  return Map.groupBy(some, ({ page }) => page)
}
