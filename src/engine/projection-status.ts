import type { BuildProgress } from './build.ts'
import { UnavailableError } from './errors.ts'
import type { Follower } from './follower.ts'
import type { Projection } from './projection.ts'
import type { PoisonEventError } from './projector.ts'
import type { Rate } from './rate.ts'
import type { Waiters } from './waiters.ts'

const shortestRetryMs = 1_000
const longestRetryMs = 30_000

export interface ProjectionStatus {
  readonly name: string
  readonly version: number
  /** `building`: there is nothing to query yet; `stopped`: it failed on an event and answers as of then. */
  readonly status: 'live' | 'building' | 'stopped'
  readonly position: number
  /** How many positions of the log it is behind. */
  readonly lag: number
  /** For how long it has been behind, in milliseconds. */
  readonly lagMs?: number
  /** Events that were folded into it in a second, over the last half minute. */
  readonly eventsPerSecond?: number
  readonly error?: string
  /** The event that stopped it. */
  readonly poison?: { readonly position: number; readonly eventId: string; readonly type: string }
  /** A new generation that is being built. */
  readonly rebuild?: BuildProgress
  /** Why the last rebuild failed. */
  readonly rebuildFailure?: string
}

/** A projection as this process runs it. */
export interface Running {
  readonly definition: Projection
  readonly waiters: Waiters
  readonly folded: Rate
  /** When it last had all that there was, by a clock that never jumps. */
  levelAtMs: number
  live?: Follower
  /** The live one where another has to take its place: of an older version, or one that a newer version may have written to. */
  outdated?: Follower
  retired?: Follower
  stoppedBy?: PoisonEventError
  failure?: string
  /** It catches up by itself. */
  isBehind?: true
  rebuild?: BuildProgress
  rebuildFailure?: string
  rebuilding?: Promise<void>
  /** It is being folded for those who read it. */
  freshening?: Promise<void>
}

/** What who asks for a read model is told that is built for the first time. */
export function stillBuilding({ definition: { name }, rebuild }: Running): UnavailableError {
  const { position = 0, head = 0, elapsedMs = 0 } = rebuild ?? {}
  const share = head === 0 ? 0 : position / head
  const leftMs = share === 0 ? shortestRetryMs : (elapsedMs / share) * (1 - share)
  const seconds = Math.ceil(Math.min(longestRetryMs, Math.max(shortestRetryMs, leftMs)) / 1_000)
  const message = `The read model ${name} is being built: ${Math.floor(share * 100)} % of the log is in it. Try again.`
  return new UnavailableError('projection-building', message, seconds)
}

/** Why a version of a projection serves nothing where a newer one does. @param newer version that is live */
export function newerIsLive({ name, version }: Pick<Projection, 'name' | 'version'>, newer: number): string {
  return `Version ${newer} of ${name} is live, and this Daybook has version ${version}. Use a newer Daybook, or rebuild ${name} to go back.`
}

/**
 * @param head position of the log's last event
 * @param feedFailure why nothing follows the log now
 * @param nowMs by the clock of `levelAtMs`
 */
export function statusOf(
  running: Running,
  head: number,
  feedFailure: string | undefined,
  nowMs: number,
): ProjectionStatus {
  const { definition, live, stoppedBy, failure, rebuild, rebuildFailure } = running
  const { name, version } = definition
  const position = live?.position ?? rebuild?.position ?? 0
  const error = stoppedBy?.message ?? failure ?? feedFailure ?? (live || rebuild ? undefined : rebuildFailure)
  return {
    name,
    version,
    status: error !== undefined ? 'stopped' : live ? 'live' : 'building',
    position,
    lag: Math.max(0, head - position),
    lagMs: position < head ? Math.max(0, Math.round(nowMs - running.levelAtMs)) : 0,
    eventsPerSecond: running.folded.perSecond(),
    ...(error !== undefined && { error }),
    ...(stoppedBy && {
      poison: { position: stoppedBy.event.position, eventId: stoppedBy.event.id, type: stoppedBy.event.type },
    }),
    ...(rebuild && { rebuild }),
    ...(rebuildFailure !== undefined && { rebuildFailure }),
  }
}
