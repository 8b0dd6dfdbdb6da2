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
  /**
   * @param replaced what may be there, of a customer who was forgotten; nothing if absent
   * @returns undefined when something else is there
   */
  add(account: Omit<Account, 'version'>, replaced?: Account): Promise<Account | undefined>
  /** Changes the password of an account. @returns undefined when somebody else has changed it meanwhile */
  setPassword(account: Account, passwordHash: string): Promise<Account | undefined>
}

const kind = 'account'
const Kept = z.object({ passwordHash: z.string(), changedAt: z.number() })

export function accountRecords(
  store: Pick<CredentialStore, 'find' | 'write' | 'ofOwner'>,
  clock: Pick<Clock, 'now'>,
): AccountRecords {
  function accountOf(found: Awaited<ReturnType<CredentialStore['find']>>): Account | undefined {
    if (found === undefined) return undefined
    const { passwordHash } = Kept.parse(JSON.parse(found.data))
    return { id: found.id, customerId: found.owner ?? '', passwordHash, version: found.version }
  }

  async function write(account: Account): Promise<Account | undefined> {
    const { id, customerId, passwordHash, version } = account
    const data = JSON.stringify({ passwordHash, changedAt: clock.now() })
    const isWritten = await store.write({ kind, id, owner: customerId, expiresAt: null, version, data })
    return isWritten ? account : undefined
  }

  return {
    find: async (id) => accountOf(await store.find(kind, id)),
    ofCustomer: async (customerId) => accountOf((await store.ofOwner(kind, customerId, 1))[0]),
    add: (account, replaced) => write({ ...account, version: (replaced?.version ?? 0) + 1 }),
    setPassword: (account, passwordHash) => write({ ...account, passwordHash, version: account.version + 1 }),
  }
}
