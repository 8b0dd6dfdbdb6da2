import type { Credential, CredentialStore } from '../../engine/credential-store.ts'

const entriesOfBatch = 500

/** A credential store that lives as long as the process, for tests and simulations. */
export function memoryCredentialStore(): CredentialStore {
  const kept = new Map<string, Credential>()
  const keyOf = ({ kind, id }: Pick<Credential, 'kind' | 'id'>) => JSON.stringify([kind, id])

  function removeAll(isMeant: (credential: Credential) => boolean, limit = Number.POSITIVE_INFINITY): number {
    let removed = 0
    for (const [key, credential] of kept) {
      if (removed >= limit) break
      if (!isMeant(credential)) continue
      kept.delete(key)
      removed++
    }
    return removed
  }

  return {
    async find(kind, id) {
      return kept.get(keyOf({ kind, id }))
    },

    async write(credential) {
      const present = kept.get(keyOf(credential))?.version ?? 0
      if (present !== credential.version - 1) return false
      kept.set(keyOf(credential), credential)
      return true
    },

    async remove(kind, id) {
      kept.delete(keyOf({ kind, id }))
    },

    async ofOwner(kind, owner, limit) {
      const found = Array.from(kept.values()).filter((each) => each.kind === kind && each.owner === owner)
      return found.sort((one, other) => (one.id < other.id ? -1 : 1)).slice(0, limit)
    },

    async forget(owner) {
      removeAll((credential) => credential.owner === owner)
    },

    async sweep(nowMs, limit) {
      return removeAll(({ expiresAt }) => expiresAt !== null && expiresAt <= nowMs, limit)
    },

    async *entries() {
      const all = Array.from(kept.values())
      for (let start = 0; start < all.length; start += entriesOfBatch) yield all.slice(start, start + entriesOfBatch)
    },

    async restore(entries) {
      for (const entry of entries) {
        if ((kept.get(keyOf(entry))?.version ?? 0) < entry.version) kept.set(keyOf(entry), entry)
      }
    },

    async close() {},
  }
}
