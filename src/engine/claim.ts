import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { decider } from './decider.ts'
import { reject } from './errors.ts'
import { defineEvents, type EventOf } from './events.ts'

/** What may exist once in a shop (an e-mail address, a slug), claimed in a stream of its own before it is used. */

const Owner = z
  .string()
  .max(200)
  .meta({ description: 'Stream of the aggregate that holds the claim', example: 'customer-0198f0c2' })
const ClaimedAt = z.iso.datetime().meta({ description: 'When it was claimed', example: '2026-01-15T09:30:00.000Z' })

// Events

export const claimEvents = defineEvents('claim', {
  Claimed: z.object({ owner: Owner, claimedAt: ClaimedAt }),
  ClaimReleased: z.object({ owner: Owner }),
})
export type ClaimEvent = EventOf<typeof claimEvents>

// State

export interface Claim {
  readonly owner?: string
  /** ISO 8601. */
  readonly claimedAt?: string
}

function evolve(_claim: Claim, event: ClaimEvent): Claim {
  switch (event.type) {
    case 'Claimed':
      return { owner: event.data.owner, claimedAt: event.data.claimedAt }
    case 'ClaimReleased':
      return {}
  }
}

// Commands

const claimCommands = {
  Claim: z.object({
    owner: Owner,
    noun: z.string().max(50).meta({ description: 'What is claimed', example: 'e-mail address' }),
    /** A holder that never came to be (its command was refused, or the process died) holds nothing. */
    abandoned: z
      .object({ owner: Owner, claimedAt: ClaimedAt })
      .optional()
      .meta({ description: 'Claim whose holder is known not to exist' }),
  }),
  ReleaseClaim: z.object({ owner: Owner }),
}

// Decisions

const renewedAfterMs = 60_000

/** Claiming what one holds renews an old claim, so that nobody takes it for abandoned just then. */
function isFresh({ claimedAt }: Claim, at: string): boolean {
  return claimedAt !== undefined && Date.parse(at) - Date.parse(claimedAt) < renewedAfterMs
}

function take(command: z.output<typeof claimCommands.Claim>, claim: Claim, { at }: { at: string }): ClaimEvent[] {
  const { owner, noun, abandoned } = command
  if (claim.owner === owner && isFresh(claim, at)) return []
  const isAbandoned = claim.owner === abandoned?.owner && claim.claimedAt === abandoned?.claimedAt
  if (claim.owner !== undefined && claim.owner !== owner && !isAbandoned) {
    throw reject(`${noun.replaceAll(/[^a-z]+/g, '-')}-taken`, `This ${noun} is already in use.`)
  }
  return [{ type: 'Claimed', data: { owner, claimedAt: at } }]
}

function release({ owner }: z.output<typeof claimCommands.ReleaseClaim>, claim: Claim): ClaimEvent[] {
  return claim.owner === owner ? [{ type: 'ClaimReleased', data: { owner } }] : []
}

export const claim = decider({
  events: claimEvents,
  commands: claimCommands,
  initial: {} as Claim,
  evolve,
  decide: { Claim: take, ReleaseClaim: release },
})

/**
 * The id of the claim of a value: a keyed hash, for the value may be personal.
 * @param secret of the engine, the same for ever
 * @param noun what is claimed
 */
export function claimId(secret: Uint8Array, noun: string, value: string): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([noun, value]))
    .digest('base64url')
}
