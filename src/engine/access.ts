/** Who asks, and who may. */

export interface Principal {
  readonly kind: 'anonymous' | 'guest' | 'customer' | 'staff'
  /** Of the guest, the customer or the API key; empty for nobody known. */
  readonly id: string
  /** What staff may do. */
  readonly scopes: ReadonlySet<string>
  /** Of a customer who has logged in here. */
  readonly sessionId?: string
}

export const anonymous: Principal = { kind: 'anonymous', id: '', scopes: new Set() }

/** Who may send a command or a query. */
export type Access<Owned = never> =
  | { readonly kind: 'anyone' }
  | { readonly kind: 'staff'; readonly scope: string }
  | { readonly kind: 'shopper' }
  | {
      readonly kind: 'owner'
      /** Staff with this scope may, too. */
      readonly scope: string
      /** Id of the customer or guest whose it is; written as a method, so that each definition can name its own type. */
      ownerOf(owned: Owned, id: string): string | undefined
    }

/** Everybody, also without a token. */
export function anyone(): Access {
  return { kind: 'anyone' }
}

/** Staff and programs whose API key has the scope. */
export function staff(scope: string): Access {
  return { kind: 'staff', scope }
}

/** Every customer and guest, for what is their own by nature. */
export function shopper(): Access {
  return { kind: 'shopper' }
}

/**
 * The customer or guest whose it is, and staff with the scope. To everybody else it does not exist.
 * @param ownerOf whose the aggregate (of a command) or the answer (of a query) is
 */
export function owner<Owned>(ownerOf: (owned: Owned, id: string) => string | undefined, scope: string): Access<Owned> {
  return { kind: 'owner', scope, ownerOf }
}

/** What an access check says: `unauthenticated` is 401, `forbidden` 403, `hidden` 404. */
export type Verdict = 'allowed' | 'unauthenticated' | 'forbidden' | 'hidden'

/**
 * Whether a principal may ask at all, before anything is loaded.
 * @returns `allowed` for an `owner` access of a shopper, who is checked by `mayTouch` once it is known whose it is
 */
export function mayAsk(access: Access<never>, { kind, scopes }: Principal): Verdict {
  if (access.kind === 'anyone') return 'allowed'
  if (kind === 'anonymous') return 'unauthenticated'
  if (access.kind === 'shopper') return kind === 'staff' ? 'forbidden' : 'allowed'
  if (kind === 'staff') return scopes.has(access.scope) ? 'allowed' : 'forbidden'
  return access.kind === 'owner' ? 'allowed' : 'forbidden'
}

/** Whether a principal that may ask may touch this very thing. */
export function mayTouch<Owned>(access: Access<Owned>, principal: Principal, owned: Owned, id: string): Verdict {
  if (access.kind !== 'owner' || principal.kind === 'staff') return 'allowed'
  return access.ownerOf(owned, id) === principal.id ? 'allowed' : 'hidden'
}
