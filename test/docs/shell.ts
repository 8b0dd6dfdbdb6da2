import { delimiter, dirname, resolve } from 'node:path'
import { environmentWith } from '../child-process.ts'
import type { Sample } from './samples.ts'

/** Samples of the shell for tests that run some of them by themselves, with the sources in the place of an installed package. */

const preamble = `
set -euo pipefail
npx() { "$@"; }
daybook() { node '${resolve('src/cli.ts')}' "$@"; }`

/** What a shell runs: these samples one after another. */
export function scriptOf(samples: readonly Pick<Sample, 'text'>[]): string {
  return [preamble, ...samples.map(({ text }) => text)].join('\n')
}

/** The environment of a shell that runs samples, with these settings and no others. */
export function shellEnvironment(settings: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return environmentWith({ ...settings, PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) })
}
