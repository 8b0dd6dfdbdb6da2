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

function marksOf(mark: string): Pick<Sample, 'notRun' | 'excerptOf'> | undefined {
  const [, notRun] = /^\{not run: (.+)\}$/.exec(mark) ?? []
  if (notRun !== undefined) return { notRun }
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
          `${page}:${line} can't be run: ${language} ${mark}. Mark it with {excerpt of FILE} or {not run: REASON}.`,
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

/** Samples by their pages, in their order. */
export function byPage(some: readonly Sample[]): ReadonlyMap<string, readonly Sample[]> {
  return Map.groupBy(some, ({ page }) => page)
}
