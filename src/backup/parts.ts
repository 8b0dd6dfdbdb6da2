import { credentialLayout } from '../adapters/sqlite/credential-store.ts'
import { vaultLayout } from '../adapters/sqlite/key-vault.ts'
import { logLayout } from '../adapters/sqlite/log-layout.ts'
import type { DataFiles } from '../storage.ts'
import type { BackupFile } from './manifest.ts'

/** A file of a data directory that nothing can make again. */
export interface Part {
  /** Of its file in a backup. */
  readonly name: string
  readonly file: string
  /** The newest layout that this version knows. */
  readonly layout: number
}

/** Whether a part was copied in the newest layout: an older one has to be upgraded to be read, which a start after a restore does. */
export function isReadable({ name, layout }: Part, copied: readonly BackupFile[]): boolean {
  return copied.some((file) => file.name === name && file.layout === layout)
}

export type Parts = readonly [log: Part, vault: Part, ...others: Part[]]

/**
 * What a backup is made of, in the order in which it is copied: the log first, so that every person in it has a key in the
 * vault that is copied after it. It is restored in the other order, for a log alone would look like a whole shop.
 */
export function partsOf(files: DataFiles): Parts {
  return [
    { name: 'log.db', file: files.log, layout: logLayout },
    { name: 'vault.db', file: files.vault, layout: vaultLayout },
    { name: 'credentials.db', file: files.credentials, layout: credentialLayout },
  ]
}
