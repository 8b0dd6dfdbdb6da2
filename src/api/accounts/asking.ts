import { z } from 'zod'
import { anyone, shopper } from '../../engine/access.ts'

/** How operations of accounts are asked for: who may, and that nothing is in path or query string. */

const parameters = z.object({})

/** Sent by anybody: what is sent shows who it is, or nothing does. */
export const sentByAnyone = { method: 'POST', who: anyone(), parameters } as const

/** Sent with the token of a customer or a guest. */
export const sentByShopper = { method: 'POST', who: shopper(), parameters } as const

/** Read with the token of a customer or a guest. */
export const readByShopper = { method: 'GET', who: shopper(), parameters } as const
