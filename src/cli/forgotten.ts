import { existsSync } from 'node:fs'
import { openSqliteKeyVault } from '../adapters/sqlite/key-vault.ts'
import type { Config } from '../config.ts'
import type { KeyVault } from '../engine/key-vault.ts'
import { openDocumentServer } from '../servers.ts'
import { filesOf } from '../storage.ts'

/**
 * Prints the ids of all who were forgotten, one a line: kept apart from backups, it says who must be forgotten anew in one that is
 * restored. Reads the vault beside running servers.
 * @throws Error when there is no vault
 */
export async function printForgotten(config: Config): Promise<void> {
  const { vault, close } = await openVault(config)
  try {
    for await (const entries of vault.entries())
      for (const { kind, name } of entries) if (kind === 'forgotten') console.log(name)
  } finally {
    await close()
  }
}

async function openVault(
  config: Config,
): Promise<{ readonly vault: Pick<KeyVault, 'entries'>; readonly close: () => Promise<void> }> {
  if (config.MONGODB_URL !== undefined) return await openDocumentServer(config.MONGODB_URL, config, () => {})
  const file = filesOf(config.DAYBOOK_DATA_DIR).vault
  if (!existsSync(file))
    throw new Error(`There are no keys in ${config.DAYBOOK_DATA_DIR}. Set DAYBOOK_DATA_DIR, or start Daybook once.`)
  const vault = openSqliteKeyVault({ file })
  return { vault, close: vault.close }
}
