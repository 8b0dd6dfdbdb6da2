import type { KeyVault, VaultEntry } from './key-vault.ts'

/** The keys of a log that moves, without which nobody could read the personal data in it. */

/**
 * Brings all that a vault holds into another one, and reads it there again.
 * @returns how many entries there are
 * @throws Error when the other vault holds other bytes for one of them, or has not kept one
 */
export async function moveKeys(
  { source, target }: { readonly source: KeyVault; readonly target: KeyVault },
  onProgress?: (entries: number) => void,
): Promise<number> {
  let count = 0
  for await (const entries of source.entries()) {
    await target.restore(entries)
    await assertKept(target, entries)
    count += entries.length
    onProgress?.(count)
  }
  return count
}

async function assertKept(target: KeyVault, entries: readonly VaultEntry[]): Promise<void> {
  const keys = await target.keys(entries.flatMap(({ kind, name }) => (kind === 'secret' ? [] : [name])))
  for (const entry of entries) {
    if (!(await isKept(target, keys, entry)))
      throw new Error(`The target has not kept the ${entry.kind} of ${entry.name}`)
  }
}

async function isKept(target: KeyVault, keys: ReadonlyMap<string, Uint8Array>, entry: VaultEntry): Promise<boolean> {
  const key = keys.get(entry.name)
  if (entry.kind === 'forgotten') return key === undefined
  if (entry.kind === 'secret') return Buffer.compare(await target.secret(entry.name), entry.bytes) === 0
  // A person who has no key there may have been forgotten there, and then gets none.
  return key === undefined ? (await target.keyFor(entry.name)) === undefined : Buffer.compare(key, entry.bytes) === 0
}
