import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { local } from '../../../src/cli/connection.ts'
import { readConfig } from '../../../src/config.ts'
import { daybook } from '../../../src/daybook.ts'
import { version } from '../../../src/version.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'
import { openApiBreaks } from './openapi-breaks.ts'

/**
 * Compares the OpenAPI document with that of the last release, and fails where clients of that would break; with `write` it keeps
 * the document as that of the version in package.json, which is a step of each release.
 */

const releases = join(import.meta.dirname, '..')

function documentOf(release: string): string {
  return join(releases, release, 'openapi.json')
}

function byVersion(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true })
}

function lastRelease(): string {
  const last = readdirSync(releases)
    .filter((name) => /^\d+\.\d+\.\d+$/.test(name) && existsSync(documentOf(name)))
    .toSorted(byVersion)
    .at(-1)
  if (last === undefined) throw new Error('No release has left its OpenAPI document: npm run release-document')
  return last
}

/** As a shop serves it. */
async function presentDocument(): Promise<unknown> {
  const { path, remove } = temporaryDirectory()
  try {
    const config = readConfig({ DAYBOOK_DATA_DIR: path, DAYBOOK_LOG_LEVEL: 'error' })
    const { send, close } = local(await daybook({ config, works: false }))
    try {
      return (await send('GET', '/openapi.json')).body
    } finally {
      await close()
    }
  } finally {
    remove()
  }
}

const present = await presentDocument()
if (process.argv[2] === 'write') {
  mkdirSync(dirname(documentOf(version)), { recursive: true })
  writeFileSync(documentOf(version), `${JSON.stringify(present)}\n`)
  process.stdout.write(`This is the OpenAPI document of ${version} from now on.\n`)
} else {
  const release = lastRelease()
  const breaks = openApiBreaks(JSON.parse(readFileSync(documentOf(release), 'utf8')), present)
  for (const each of breaks) process.stderr.write(`${each}\n`)
  if (breaks.length > 0) {
    process.stderr.write(
      `\nClients that were made for ${release} would break. /v1 only grows: add, and leave what is there as it is.\n`,
    )
    process.exitCode = 1
  }
}
