import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { z } from 'zod'

/** The stores that releases have left: their files as they were, and what their shops said then. */

const releases = join(import.meta.dirname, '..')

export interface KeptStore {
  readonly version: string
  /** What the shop said of itself, by the path that was asked. */
  readonly figures: Readonly<Record<string, unknown>>
  /** Number of events in its log. */
  readonly events: number
  /** Puts its files into a directory. */
  unpack(directory: string): void
}

const Said = z.object({ events: z.int(), figures: z.record(z.string(), z.unknown()) })

/** All that there are, the oldest first. */
export function keptStores(): readonly KeptStore[] {
  return readdirSync(releases)
    .filter((name) => existsSync(join(releases, name, 'figures.json')))
    .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .map((version) => {
      const { events, figures } = Said.parse(JSON.parse(readFileSync(join(releases, version, 'figures.json'), 'utf8')))
      const data = join(releases, version, 'data')
      return {
        version,
        events,
        figures,
        unpack(directory) {
          for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
            if (!name.endsWith('.gz')) continue
            const file = join(directory, name.slice(0, -'.gz'.length))
            mkdirSync(dirname(file), { recursive: true })
            writeFileSync(file, gunzipSync(readFileSync(join(data, name))))
          }
        },
      }
    })
}

/** Keeps the files of a data directory that nobody has open as those of a release. */
export function keep(version: string, directory: string, said: z.input<typeof Said>): void {
  const data = join(releases, version, 'data')
  rmSync(data, { recursive: true, force: true })
  for (const name of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.db') || name === 'lock.db') continue
    const file = join(data, `${name}.gz`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, gzipSync(readFileSync(join(directory, name)), { level: 9 }))
  }
  writeFileSync(join(releases, version, 'figures.json'), `${JSON.stringify(said)}\n`)
}
