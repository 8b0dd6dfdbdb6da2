import { createHash } from 'node:crypto'
import { PreconditionError } from '../engine/errors.ts'

/** How clients name a place in the log. To them it is opaque; it names its log, so that one of another log is noticed. */
export interface PositionTokens {
  tokenOf(position: number): string
  /** @throws PreconditionError for a position of another log, and for what is none */
  positionOf(token: string): number
}

/** What a position is answered with that the log does not have. */
export function unknownPosition(): PreconditionError {
  return new PreconditionError(
    'unknown-position',
    'This Daybook-Position is not of this log. Leave it out, or send one that this server has answered.',
  )
}

/**
 * Positions of one log as clients see them.
 * @param logId of the log
 */
export function positionTokens(logId: string): PositionTokens {
  const log = createHash('sha256').update(logId).digest('base64url').slice(0, 10)
  return {
    tokenOf: (position) => `${log}.${position.toString(36)}`,
    positionOf(token) {
      const [, tokenLog, digits] = /^([A-Za-z0-9_-]{10})\.([0-9a-z]{1,11})$/.exec(token) ?? []
      const position = Number.parseInt(digits ?? '', 36)
      if (tokenLog !== log || !Number.isSafeInteger(position)) {
        throw unknownPosition()
      }
      return position
    },
  }
}
