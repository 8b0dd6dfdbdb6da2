import { randomUUID } from 'node:crypto'
import { claim, claimId } from './claim.ts'
import type { Clock } from './clock.ts'
import type { Command } from './command.ts'
import { streamOf } from './command.ts'
import type { UniqueValue } from './command-definition.ts'
import type { CommandHandler } from './command-handler.ts'
import { PreconditionError, Rejection, UnavailableError } from './errors.ts'
import { noStream } from './event-store.ts'
import { keyedLock } from './keyed-lock.ts'
import { categoryOf, idOf } from './streams.ts'

export interface Claims {
  /**
   * Claims what must be unique, runs a command that rests on it, and gives up what was claimed if that is refused.
   * @param holds whether an aggregate that exists still holds what it has claimed; by default for ever
   * @throws Rejection when somebody else holds one of the values
   */
  holding<T>(
    values: readonly UniqueValue[],
    command: Command,
    run: () => Promise<T>,
    holds?: (state: unknown) => boolean,
  ): Promise<T>
}

export interface ClaimsOptions {
  readonly handler: CommandHandler
  readonly clock: Clock
  readonly secret: Uint8Array
  /** True where no other process can append. */
  readonly soleWriter: boolean
  /** Told when a claim could not be given up; it is taken for abandoned later. */
  readonly onFailure: (error: unknown) => void
}

/** Longer than any command can be under way, in doubt about its append included. */
const abandonedAfterMs = 600_000

interface Wanted {
  readonly id: string
  readonly noun: string
  holds(state: unknown): boolean
}

/** True when the command surely appended nothing. */
function isRefusal(error: unknown): boolean {
  if (error instanceof UnavailableError) return error.code !== 'outcome-unknown'
  return error instanceof Rejection || error instanceof PreconditionError
}

/**
 * Values that may exist once in the shop. What a holder has given up for good, such as the address of a person who was
 * forgotten, may be taken over. So may what is claimed for an aggregate that never came to be; but not while its command
 * may be under way. In this process commands for one value take turns, so it is known what is; of other processes only
 * a claim's age tells.
 */
export function claims({ handler, clock, secret, soleWriter, onFailure }: ClaimsOptions): Claims {
  const lock = keyedLock()
  /** Owners whose command may still be appended though nobody waits for it any more, with the time since when. */
  const uncertain = new Map<string, number>()

  function noteUncertain(owner: string): void {
    for (const [known, since] of uncertain) {
      if (since > clock.now() - abandonedAfterMs) break
      uncertain.delete(known)
    }
    uncertain.set(owner, clock.now())
  }

  function commandFor(target: string, type: string, data: Command['data'], cause: Command): Command {
    const { actor, correlationId } = cause
    // An id of its own each time: a claim that was given up and is claimed again must not count as known.
    return { decider: claim, target, type, data, id: randomUUID(), actor, correlationId, causationId: cause.id }
  }

  async function isAbandoned(
    owner: string,
    claimedAt: string,
    { decider }: Command,
    holds: Wanted['holds'],
  ): Promise<boolean> {
    if (categoryOf(owner) !== decider.category) return false
    const isOld = Date.parse(claimedAt) <= clock.now() - abandonedAfterMs
    if (!isOld && uncertain.has(owner)) return false
    const { revision, state } = await handler.fold(decider, idOf(owner))
    return revision === noStream ? isOld || soleWriter : !holds(state)
  }

  /** Claims one value; returns whether it was not claimed by the same owner before. */
  async function take({ id, noun, holds }: Wanted, command: Command): Promise<boolean> {
    const own = streamOf(command)
    const { owner, claimedAt } = (await handler.fold(claim, id)).state
    const isTaken = owner !== undefined && claimedAt !== undefined && owner !== own
    const abandoned =
      isTaken && (await isAbandoned(owner, claimedAt, command, holds)) ? { owner, claimedAt } : undefined
    const data = { owner: own, noun, ...(abandoned && { abandoned }) }
    await handler.handle(commandFor(id, 'Claim', data, command))
    return owner !== own
  }

  async function giveUp(taken: readonly Wanted[], command: Command): Promise<void> {
    const owner = streamOf(command)
    await Promise.all(
      taken.map(({ id }) => handler.handle(commandFor(id, 'ReleaseClaim', { owner }, command)).catch(onFailure)),
    )
  }

  async function takeAll(wanted: readonly Wanted[], command: Command): Promise<readonly Wanted[]> {
    const results = await Promise.allSettled(wanted.map((each) => take(each, command)))
    const taken = wanted.filter((_, index) => {
      const result = results[index]
      return result?.status === 'fulfilled' && result.value
    })
    const failed = results.find((result) => result.status === 'rejected')
    if (!failed) return taken
    await giveUp(taken, command)
    throw failed.reason
  }

  return {
    async holding(values, command, run, holds = () => true) {
      if (values.length === 0) return await run()
      const byId = new Map(values.map(({ noun, value }) => [claimId(secret, noun, value), noun]))
      const wanted = [...byId].map(([id, noun]) => ({ id, noun, holds }))
      return await lock([...byId.keys()], async () => {
        const taken = await takeAll(wanted, command)
        try {
          const result = await run()
          // The same request in another process may have been refused meanwhile, and have given up what it had taken.
          const found = soleWriter ? [] : wanted.filter((each) => !taken.includes(each))
          await Promise.all(found.map((each) => take(each, command).catch(onFailure)))
          uncertain.delete(streamOf(command))
          return result
        } catch (error) {
          if (isRefusal(error)) await giveUp(taken, command)
          else noteUncertain(streamOf(command))
          throw error
        }
      })
    },
  }
}
