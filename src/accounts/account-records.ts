import { z } from 'zod'
import type { Clock } from '../engine/clock.ts'
import type { CredentialStore } from '../engine/credential-store.ts'

/** Who can log in: by the keyed hash of an e-mail address, a customer and the hash of a password. */

export interface Account {
  /** Keyed hash of the e-mail address. */
  readonly id: string
  readonly customerId: string
  /** A PHC string. */
  readonly passwordHash: string
  readonly version: number
}

export interface AccountRecords {
  find(id: string): Promise<Account | undefined>
  ofCustomer(customerId: string): Promise<Account | undefined>
  /** @returns false when there is one already */
  add(account: Omit<Account, 'version'>): Promise<boolean>
  /** Changes the password of an account. @returns false when somebody else has changed it meanwhile */
  setPassword(account: Account, passwordHash: string): Promise<boolean>
  remove(id: string): Promise<void>
}

const kind = 'account'
const Kept = z.object({ passwordHash: z.string(), changedAt: z.number() })

export function accountRecords(
  store: Pick<CredentialStore, 'find' | 'write' | 'remove' | 'ofOwner'>,
  clock: Pick<Clock, 'now'>,
): AccountRecords {
  function accountOf(found: Awaited<ReturnType<CredentialStore['find']>>): Account | undefined {
    if (found === undefined) return undefined
    const { passwordHash } = Kept.parse(JSON.parse(found.data))
    return { id: found.id, customerId: found.owner ?? '', passwordHash, version: found.version }
  }

  function write({ id, customerId, passwordHash, version }: Account): Promise<boolean> {
    const data = JSON.stringify({ passwordHash, changedAt: clock.now() })
    return store.write({ kind, id, owner: customerId, expiresAt: null, version, data })
  }

  return {
    find: async (id) => accountOf(await store.find(kind, id)),
    ofCustomer: async (customerId) => accountOf((await store.ofOwner(kind, customerId, 1))[0]),
    add: (account) => write({ ...account, version: 1 }),
    setPassword: (account, passwordHash) => write({ ...account, passwordHash, version: account.version + 1 }),
    remove: (id) => store.remove(kind, id),
  }
}
