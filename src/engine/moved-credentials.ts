import { type Credential, type CredentialStore, sessionKind } from './credential-store.ts'
import type { KeyVault } from './key-vault.ts'

/** What people log in with, of a log that moves. */

interface CredentialMove {
  readonly source: Pick<CredentialStore, 'entries' | 'find'>
  readonly target: Pick<CredentialStore, 'entries' | 'restore' | 'remove' | 'forget'>
  /** Of the target, with the keys that were moved: it says who was forgotten. */
  readonly vault: Pick<KeyVault, 'keys'>
  /** Stops it between two batches. */
  readonly signal?: AbortSignal
  readonly onProgress?: (entries: number) => void
}

/**
 * Brings all credentials over. Then the sessions go that an earlier copy has brought and the source lacks, for what was ended there
 * must not be good again; and all of persons who were forgotten. Nothing else does: nobody could bring a password back.
 * @returns how many entries there are in the source
 * @throws the signal's reason when it is aborted
 */
export async function moveCredentials({ source, target, vault, signal, onProgress }: CredentialMove): Promise<number> {
  let count = 0
  for await (const entries of source.entries()) {
    signal?.throwIfAborted()
    await target.restore(entries)
    count += entries.length
    onProgress?.(count)
  }
  for await (const entries of target.entries()) {
    signal?.throwIfAborted()
    const found = await Promise.all(entries.map(({ kind, id }) => source.find(kind, id)))
    await removeEnded(
      target,
      vault,
      entries.filter((_, index) => found[index] === undefined),
    )
  }
  return count
}

async function removeEnded(
  target: CredentialMove['target'],
  vault: CredentialMove['vault'],
  lacking: readonly Credential[],
): Promise<void> {
  const owners = [...new Set(lacking.flatMap(({ owner }) => owner ?? []))]
  // Whoever has an account has a key, as long as they are not forgotten.
  const keys = await vault.keys(owners)
  for (const owner of owners) if (!keys.has(owner)) await target.forget(owner)
  const sessions = lacking.filter(({ kind }) => kind === sessionKind)
  await Promise.all(sessions.map(({ kind, id }) => target.remove(kind, id)))
}
