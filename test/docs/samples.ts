import { globSync, readFileSync } from 'node:fs'

/** The code samples of the documentation, and what is said behind their language: ```ts {excerpt of src/shop.ts}. */

const languages = ['sh', 'ts', 'js', 'json'] as const
type Language = (typeof languages)[number]

export interface Sample {
  readonly page: string
  /** Of its first line in the page. */
  readonly line: number
  readonly language: Language
  readonly text: string
  /** Why it can't be run here. */
  readonly notRun?: string
  /** The file that it is a part of. */
  readonly excerptOf?: string
  /** The file that it is, by its first line: `// src/domain/gift-card.ts`. */
  readonly file?: string
}

/** Decisions tell of what was once; performance has figures, and so has behaviours. */
const pages = globSync(['README.md', 'docs/*.md'], { exclude: ['docs/events.md'] }).toSorted()

const isLanguage = (name: string): name is Language => languages.some((each) => each === name)

function markOf(mark: string | undefined, at: string): Pick<Sample, 'notRun' | 'excerptOf'> {
  if (mark === undefined) return {}
  const [, notRun] = /^not run: (.+)$/.exec(mark) ?? []
  if (notRun !== undefined) return { notRun }
  const [, excerptOf] = /^excerpt of (\S+)$/.exec(mark) ?? []
  if (excerptOf !== undefined) return { excerptOf }
  throw new Error(`${at}: nobody knows what {${mark}} means. There are {excerpt of FILE} and {not run: REASON}.`)
}

function samplesOf(page: string): readonly Sample[] {
  const blocks = readFileSync(page, 'utf8').matchAll(/^( *)```([a-z]+)(?: \{([^\n]+)\})?\n(.*?)^\1```$/gms)
  return Array.from(blocks).flatMap(
    ({ 1: indent = '', 2: language = '', 3: mark, 4: text = '', index, input }): Sample[] => {
      const line = input.slice(0, index).split('\n').length + 1
      if (!isLanguage(language)) return []
      const dedented = text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
      const [, file] = /^\/\/ ([\w./-]+\.ts)\n/.exec(dedented) ?? []
      return [
        {
          page,
          line,
          language,
          text: dedented,
          ...markOf(mark, `${page}:${line}`),
          ...(file !== undefined && { file }),
        },
      ]
    },
  )
}

/** All samples, in the order of their pages. */
export const samples: readonly Sample[] = pages.flatMap(samplesOf)

/** Samples of a page that belong together, in their order. */
export function byPage(some: readonly Sample[]): ReadonlyMap<string, readonly Sample[]> {
  return Map.groupBy(some, ({ page }) => page)
}
