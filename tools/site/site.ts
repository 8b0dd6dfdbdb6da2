import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import Eleventy, { type Configuration } from '@11ty/eleventy'
import { addressOf, brokenLinks, type Linked, link } from './links.ts'

/** The documentation as a site: the pages are the Markdown files of a directory, in the order that its first page links to them. */

interface Section {
  readonly title: string
  readonly pages: readonly { readonly title: string; readonly address: string }[]
}

/** The sections of the first page, for the navigation of all. */
function sectionsOf(home: string): readonly Section[] {
  const [, ...sections] = readFileSync(home, 'utf8').split(/^## /m)
  return sections.map((section) => ({
    title: section.slice(0, section.indexOf('\n')),
    pages: Array.from(section.matchAll(/^- \[([^\]]+)\]\(([^):]+\.md)\)/gm), ([, title = '', file = '']) => ({
      title,
      address: addressOf(file),
    })).filter(({ address }) => !address.startsWith('..')),
  }))
}

/**
 * Readies the site.
 * @param input directory with the pages and, in `site/`, what they look like
 * @param output directory that the site is written to
 * @returns what writes it, or serves it; both throw where a link leads nowhere
 */
export function site(input: string, output: string): Eleventy {
  const home = join(input, 'index.md')
  const pages = new Map<string, Linked>()

  /** Text for browsers, whatever the file is called; of a directory the names of what is in it. */
  function copyOf(file: string): string {
    const isPicture = file.endsWith('.svg') || file.endsWith('.png')
    const address = join('files', relative('.', file).replaceAll('../', '') + (isPicture ? '' : '.txt'))
    mkdirSync(dirname(join(output, address)), { recursive: true })
    if (statSync(file).isDirectory()) writeFileSync(join(output, address), readdirSync(file).join('\n'))
    else copyFileSync(file, join(output, address))
    return address
  }

  function config(configuration: Configuration): void {
    configuration.setUseGitIgnore(false)
    configuration.setIncludesDirectory('site')
    configuration.setTemplateFormats(['md'])
    configuration.addPassthroughCopy({ [join(input, 'site/style.css')]: 'style.css' })
    configuration.addGlobalData('layout', 'page.njk')
    configuration.addGlobalData('templateEngineOverride', 'md')
    configuration.addGlobalData('sections', () => sectionsOf(home))
    configuration.addGlobalData('eleventyComputed', {
      permalink: ({ page }: { page: { filePathStem: string } }) => addressOf(`${page.filePathStem}.md`),
      root: ({ page }: { page: { filePathStem: string } }) => '../'.repeat(page.filePathStem.split('/').length - 2),
      title: ({ page }: { page: { inputPath: string } }) => /^# (.+)$/m.exec(readFileSync(page.inputPath, 'utf8'))?.[1],
    })
    configuration.amendLibrary('md', ({ core }) => {
      core.ruler.push('links', ({ tokens, env }) => {
        const file = relative('.', env.page.inputPath)
        pages.set(file, link(tokens, file, input, copyOf))
      })
    })
    configuration.on('eleventy.after', () => {
      const broken = brokenLinks(pages, home)
      if (broken.length > 0) throw new Error(broken.join('\n'))
    })
  }

  return new Eleventy(input, output, { quietMode: true, configPath: null, config })
}
