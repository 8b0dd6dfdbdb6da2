import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Compiles what the package has: Node.js runs TypeScript as it is, but not below `node_modules`. */

const root = new URL('..', import.meta.url)
const compiler = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root))

rmSync(new URL('dist', root), { recursive: true, force: true })
execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
