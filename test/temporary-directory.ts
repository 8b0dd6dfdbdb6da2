import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Makes an empty directory. @returns its path, and what deletes it */
export function temporaryDirectory(): { readonly path: string; readonly remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'daybook-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}
