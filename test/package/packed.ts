import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const repository = fileURLToPath(new URL('../..', import.meta.url))

/** Runs npm with the Node.js that runs the tests. */
function npm(args: readonly string[], directory: string): void {
  const isWindows = process.platform === 'win32'
  execFileSync(isWindows ? 'npm.cmd' : 'npm', args, { cwd: directory, stdio: 'pipe', shell: isWindows })
}

/**
 * Packs Daybook as it is published, and installs it in a directory with an example of its own. What Daybook depends on is linked, not
 * downloaded.
 * @param example folder below `examples/`
 * @returns the example's directory
 */
export function installPacked(directory: string, example: string): string {
  npm(['pack', '--pack-destination', directory], repository)
  const packed = readdirSync(directory).find((name) => name.endsWith('.tgz'))
  if (packed === undefined) throw new Error('npm pack has made no file')
  const project = join(directory, example)
  cpSync(join(repository, 'examples', example), project, { recursive: true })
  const installed = join(project, 'node_modules')
  mkdirSync(join(installed, 'daybook'), { recursive: true })
  execFileSync('tar', ['-xzf', join(directory, packed), '--strip-components=1', '-C', join(installed, 'daybook')])
  const present = join(repository, 'node_modules')
  for (const name of readdirSync(present)) {
    if (!name.startsWith('.')) symlinkSync(join(present, name), join(installed, name), 'junction')
  }
  return project
}
