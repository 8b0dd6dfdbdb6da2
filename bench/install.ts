import { execFileSync } from 'node:child_process'
import { cpSync, lstatSync, mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { benchmark } from './benchmark.ts'

const clone = join(import.meta.dirname, '..')

/** Bytes of all files in a directory. */
function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(directory, name)))
    .reduce((sum, entry) => sum + (entry.isFile() ? entry.size : 0), 0)
}

export const install = benchmark({
  name: 'install',
  title:
    '`npm ci` of everything, and of what production needs, in an empty directory; with whatever the cache of npm holds',
  figures: [
    { name: 'everything', unit: 's', goal: { of: 'figure', is: 'at most', value: 30 } },
    { name: 'production', unit: 's' },
    { name: 'size in production', unit: 'MB', goal: { of: 'figure', is: 'at most', value: 120 } },
  ],
  async prepare({ directory }) {
    function seconds(...options: string[]): { readonly took: number; readonly installed: string } {
      const project = mkdtempSync(join(directory, 'project-'))
      for (const file of ['package.json', 'package-lock.json']) cpSync(join(clone, file), join(project, file))
      const beganMs = performance.now()
      execFileSync('npm', ['ci', '--no-audit', '--no-fund', ...options], { cwd: project, stdio: 'ignore' })
      return { took: (performance.now() - beganMs) / 1_000, installed: join(project, 'node_modules') }
    }
    return {
      async round() {
        const { took: everything } = seconds()
        const { took: production, installed } = seconds('--omit=dev', '--omit=optional')
        return { everything, production, 'size in production': sizeOf(installed) / 1_000_000 }
      },
    }
  },
})
