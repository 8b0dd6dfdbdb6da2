/** The port of the keys that personal data is encrypted with. An adapter passes `test/contract/key-vault.ts` unchanged. */

/** Something that a vault holds: a person's key, that a person was forgotten, or a secret. */
export type VaultEntry = KeptBytes | { readonly kind: 'forgotten'; readonly name: string }

interface KeptBytes {
  readonly kind: 'key' | 'secret'
  readonly name: string
  readonly bytes: Uint8Array
}

/** Length of keys and secrets. */
export const keyBytes = 32

export interface KeyVault {
  /**
   * The person's key of 32 bytes, made and durably kept on the first call.
   * @returns undefined for a person who was forgotten, for whom no key is ever made again
   */
  keyFor(person: string): Promise<Uint8Array | undefined>
  /** The keys of those of these persons who have one. */
  keys(persons: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
  /** Deletes the person's key so that no copy stays in the store, and remembers that. Forgetting twice is fine. */
  forget(person: string): Promise<void>
  /** A secret of 32 bytes of the engine's own, made on the first call with a name and the same ever after. */
  secret(name: string): Promise<Uint8Array>
  /** All that the vault holds, in batches: for a move to another one. */
  entries(): AsyncIterable<readonly VaultEntry[]>
  /**
   * Takes over what another vault holds, durably. What is there already stays, but who was forgotten in either is forgotten.
   * @throws Error when a key or a secret is there with other bytes, or is none; then nothing of these was taken over
   */
  restore(entries: readonly VaultEntry[]): Promise<void>
  close(): Promise<void>
}

/**
 * Compares what is to be restored with what is there.
 * @throws Error when they differ, or when what is to be restored is no key
 */
export function checkRestored({ kind, name, bytes }: KeptBytes, present: Uint8Array | undefined): void {
  if (bytes.length !== keyBytes)
    throw new Error(`The ${kind} of ${name} has ${bytes.length} bytes instead of ${keyBytes}`)
  if (present === undefined || Buffer.compare(bytes, present) === 0) return
  throw new Error(
    `The vault holds other bytes as the ${kind} of ${name}: move into an empty one, or into one of the same log`,
  )
}
