import { existsSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import type { Token } from '@11ty/eleventy'

/** Links as they are in files, and on the site: pages lead to pages, and other files of the repository to copies. */

/** What a page of the site is linked with. */
export interface Linked {
  /** Ids of its headings. */
  readonly anchors: ReadonlySet<string>
  readonly links: readonly Link[]
}

/** A link to a page. */
interface Link {
  /** File of the page, from the working directory. */
  readonly file: string
  readonly anchor: string
}

/** Where a page is on the site. */
export const addressOf = (file: string) => file.replace(/README\.md$/, 'index.html').replace(/\.md$/, '.html')

/** The id of a heading, as those make it who show files. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replaceAll(' ', '-')

/**
 * Gives headings their ids, and links the addresses that they have on the site.
 * @param tokens of the page, as markdown-it has them; they are changed
 * @param page the file, from the working directory
 * @param copied is told of each file that is no page, and gives its address from the root of the site
 * @throws Error for a link to a file that is not there
 */
export function link(tokens: readonly Token[], page: string, root: string, copied: (file: string) => string): Linked {
  const anchors = new Set<string>()
  const links: Link[] = []

  function addressFrom(target: string): string {
    if (/^[a-z]+:/.test(target)) return target
    const [path = '', anchor = ''] = target.split('#')
    const file = path === '' ? page : normalize(join(dirname(page), path))
    if (!existsSync(file)) throw new Error(`${page} links to ${target}, which is not there.`)
    const isPage = file.endsWith('.md') && !relative(root, file).startsWith('..')
    if (isPage) links.push({ file, anchor })
    const address = isPage ? relative(root, addressOf(file)) : copied(file)
    const from = dirname(relative(root, page))
    return (path === '' ? '' : relative(from, address).replaceAll('\\', '/')) + (anchor && `#${anchor}`)
  }

  tokens.forEach((token, place) => {
    if (token.type === 'heading_open') {
      const id = anchorOf(tokens[place + 1]?.children?.map(({ content }) => content).join('') ?? '')
      token.attrSet('id', id)
      anchors.add(id)
    }
    for (const inner of token.children ?? []) {
      for (const attribute of ['href', 'src']) {
        const target = inner.attrGet(attribute)
        if (target !== null) inner.attrSet(attribute, addressFrom(decodeURI(target)))
      }
    }
  })
  return { anchors, links }
}

/**
 * What is wrong with the links between pages, in sentences.
 * @param pages by their files
 * @param home the page from which every other one can be reached
 */
export function brokenLinks(pages: ReadonlyMap<string, Linked>, home: string): readonly string[] {
  const reached = new Set([home])
  for (const page of reached) for (const { file } of pages.get(page)?.links ?? []) reached.add(file)
  const orphans = [...pages.keys()].filter((page) => !reached.has(page))
  const astray = [...pages].flatMap(([page, { links }]) =>
    links
      .filter(({ file, anchor }) => anchor !== '' && !pages.get(file)?.anchors.has(anchor))
      .map(({ file, anchor }) => `${page} links to ${file}#${anchor}, a heading that is not there.`),
  )
  return [...astray, ...orphans.map((page) => `No link leads to ${page}: add one to ${home}.`)]
}
