/** The port of the keys that personal data is encrypted with. An adapter passes `test/contract/key-vault.ts` unchanged. */

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
  close(): Promise<void>
}
