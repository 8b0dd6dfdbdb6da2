import { createClient, type Session, type SessionStore } from 'daybook/client'
import { currency, language } from './preferences.ts'

/** The shop behind the page, and the cart there. */

/** What the page was told by who serves it. */
export function settingOf(name: string): string {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute('content') ?? ''
}

const key = 'session'

function isSession(value: unknown): value is Session {
  return typeof value === 'object' && value !== null && 'token' in value && 'customerId' in value
}

/** The session of this page, with the access token. */
let present: Session | undefined

/** What a script that got into the page finds of a customer's session: no access token; a new page gets one by a refresh. */
function withoutAccess(session: Session): Session {
  return session.refreshToken === undefined ? session : { ...session, token: '', expiresAt: new Date(0).toISOString() }
}

/**
 * Keeps the session over visits, for all pages of the shop together. The refresh token is here only because this example is files
 * and nothing else. A real shop keeps it in a cookie that its own small server sets (HttpOnly, SameSite=Strict), and gives the client
 * `getToken`, which asks that server. A guest's token is the guest, with the cart: it has to stay.
 */
const sessionStore: SessionStore = {
  read() {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? 'null')
    if (!isSession(kept)) return undefined
    // Another page may have refreshed it, or begun another one.
    if (kept.token !== '' || present?.customerId !== kept.customerId) return kept
    return { ...kept, token: present.token, expiresAt: present.expiresAt }
  },
  write(session) {
    present = session
    if (session) localStorage.setItem(key, JSON.stringify(withoutAccess(session)))
    else localStorage.removeItem(key)
  },
  exclusively: async (work) => await navigator.locks.request(key, work),
}

export const client = createClient({ url: settingOf('daybook-api'), sessionStore })

export type Cart = Awaited<ReturnType<typeof openCarts>>[number]

async function openCarts(signal?: AbortSignal) {
  if (!client.session()) return []
  return [...(await client.get('/v1/carts', signal ? { signal } : {})).items]
}

/** The cart in the currency that is chosen; undefined where there is none as yet. */
export async function currentCart(signal?: AbortSignal): Promise<Cart | undefined> {
  return (await openCarts(signal)).find((cart) => cart.currency === currency())
}

/** Puts something into the cart, and opens one if there is none. */
export async function addToCart(productId: string, sku: string, quantity: number): Promise<void> {
  await client.guest()
  const open = { currency: currency(), language: language() }
  const cart = (await currentCart()) ?? (await client.post('/v1/carts', { body: open }))
  await client.post('/v1/carts/{cartId}/lines', { path: { cartId: cart.id }, body: { productId, sku, quantity } })
}

/** Number of pieces in a cart. */
export function piecesOf(cart: Pick<Cart, 'lines'> | undefined): number {
  return cart?.lines.reduce((sum, { quantity }) => sum + quantity, 0) ?? 0
}

export interface Card {
  readonly number: string
  readonly expiry: string
  readonly cvc: string
}

/** A card that the payment gateway refuses; the message says why. */
export class CardError extends Error {
  override readonly name = 'CardError'
}

/** Gives a card to the payment gateway, and gets a token for it: the shop never sees its number. */
export async function cardToken(card: Card): Promise<string> {
  const answer = await fetch(`${settingOf('daybook-sandbox')}/v1/tokens`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(card),
  })
  const body: unknown = await answer.json()
  if (typeof body === 'object' && body !== null) {
    if (answer.ok && 'token' in body && typeof body.token === 'string') return body.token
    if ('detail' in body && typeof body.detail === 'string') throw new CardError(body.detail)
  }
  throw new CardError('The payment gateway did not take the card. Try again.')
}
