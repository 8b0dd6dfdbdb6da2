import { execFile } from 'node:child_process'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { temporaryDirectory } from '../temporary-directory.ts'

const run = promisify(execFile)
const directory = temporaryDirectory()
afterAll(directory.remove)

/** Makes a site, as `npm run docs` does. @returns the directory that it is in */
async function siteOf(input: string, name: string): Promise<string> {
  const output = join(directory.path, name)
  await run(process.execPath, ['tools/docs.ts', '--input', relative('.', input), '--output', relative('.', output)])
  return output
}

function pagesOf(name: string, texts: Readonly<Record<string, string>>): string {
  const input = join(directory.path, name)
  mkdirSync(input)
  cpSync('docs/site', join(input, 'site'), { recursive: true })
  for (const [file, text] of Object.entries(texts)) writeFileSync(join(input, file), text)
  return input
}

test('The site has all pages of the documentation, each of which can be reached, and no link that leads nowhere', async () => {
  const output = await siteOf('docs', 'site')
  for (const page of globSync('docs/{*,decisions/*}.md')) {
    const address = relative('docs', page).replace('README.md', 'index.html').replace('.md', '.html')
    expect(existsSync(join(output, address)), `${page} is on the site`).toBe(true)
  }
  const architecture = readFileSync(join(output, 'architecture.html'), 'utf8')
  expect(architecture).toContain('<h2 id="the-embedded-storage">')
  expect(architecture).toContain('href="decisions/0018-shards-leases-and-fences.html"')
})

test('Files that are no pages are on the site as text', async () => {
  const output = await siteOf(
    pagesOf('files', { 'index.md': '# Home\n\n[settings](settings.conf)', 'settings.conf': 'a=1' }),
    'filed',
  )
  const home = readFileSync(join(output, 'index.html'), 'utf8')
  const [, address = ''] = /href="([^"]+settings\.conf\.txt)"/.exec(home) ?? []
  expect(readFileSync(join(output, address), 'utf8')).toBe('a=1')
})

test.each([
  ['to a page that is not there', '# Home\n\n[other](other.md)', /links to other\.md, which is not there/],
  ['to a heading that is not there', '# Home\n\n[part](page.md#part)', /page\.md#part, a heading that is not there/],
  ['to no page but itself', '# Home', /No link leads to .*page\.md/],
])('A site with a link %s is not made', async (_, home, message) => {
  const input = pagesOf(`broken-${message.source.length}`, { 'index.md': home, 'page.md': '# Page' })
  await expect(siteOf(input, 'broken')).rejects.toThrow(message)
})
