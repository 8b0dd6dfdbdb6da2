/**
 * The port of what people log in with: accounts, sessions, and how often somebody has tried. It is kept beside the log, never
 * in it. An adapter passes `test/contract/credential-store.ts` unchanged.
 */

/** Something that is kept under a kind and an id; nothing of it can be read as an address, a password or a token. */
export interface Credential {
  readonly kind: string
  readonly id: string
  /** Whose it is: it goes when the person is forgotten. */
  readonly owner: string | null
  /** Milliseconds since the epoch, from when on it may be swept; null for what stays. */
  readonly expiresAt: number | null
  /** 1 when it is made, and one more with each write. */
  readonly version: number
  /** JSON. */
  readonly data: string
}

/** Name of the secret of the vault that all of them are kept by. */
export const accountsSecret = 'accounts'

/** The kind of what is kept of a session: a restore drops them all. */
export const sessionKind = 'session'

/**
 * With `full` it is on the disk when it is answered. With `normal` it outlives the process, but the latest may be lost with the
 * power; a store may be more careful than that.
 */
export type Durability = 'full' | 'normal'

export interface CredentialStore {
  /** What is kept there now, also when it has expired but was not swept yet. */
  find(kind: string, id: string): Promise<Credential | undefined>
  /**
   * Keeps it, in the place of the version before it.
   * @param credential whose version is one more than what is there; 1 where nothing may be there
   * @param durability `full` where it is not given
   * @returns false when something else is there; then nothing was written
   */
  write(credential: Credential, durability?: Durability): Promise<boolean>
  /** Deletes it; nothing happens where there is none. @param durability `full` where it is not given */
  remove(kind: string, id: string, durability?: Durability): Promise<void>
  /** All of a kind that is a person's, by id, at most `limit`. */
  ofOwner(kind: string, owner: string, limit: number): Promise<readonly Credential[]>
  /** Deletes all that is a person's, so that no copy stays in the store. Forgetting twice is fine. */
  forget(owner: string): Promise<void>
  /**
   * Deletes what has expired.
   * @param nowMs milliseconds since the epoch
   * @param limit most that are deleted at once
   * @returns how many were
   */
  sweep(nowMs: number, limit: number): Promise<number>
  /** All that there is, in batches: for backups and moves. */
  entries(): AsyncIterable<readonly Credential[]>
  /** Takes over what another store holds, durably. Where both have something, the higher version stays. */
  restore(entries: readonly Credential[]): Promise<void>
  close(): Promise<void>
}
