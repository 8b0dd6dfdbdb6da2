import { type Clock, pause } from './clock.ts'

/**
 * How processes take turns at a stream that several of them write. Whoever appends knows the newest state and would always be
 * first again, so that the others decide in vain: after some appends it gives way to them. All waits are measured by how
 * long a try takes there and then.
 */
export interface Turns {
  /** Whether this process has given way: a decision had better rest on what others have written meanwhile. */
  hasGivenWay(): boolean
  /** Takes note of what was read after it has given way. @param isNew whether others have written */
  looked(isNew: boolean): void
  /** Takes note of an append. @param tookMs from the decision on */
  won(tookMs: number): void
  /** Waits before the next try. @param tookMs how long the one that met with a conflict took, from the decision on */
  lost(tries: number, tookMs: number): Promise<void>
  /** Lets others go first when it is time to. The commands before it have been answered. */
  giveWay(): Promise<void>
}

/** Appends of a turn: few, so that nobody waits for long, and enough to be worth that all others have to read them first. */
const turnAppends = 6
/** Appends after which one gives way who has met nobody: those who always come too late are not seen. */
const longestTurnAppends = 48
/** Tries that one gives way for: another has to read what is new, to decide, and to append. */
const givenTries = 3
/** What a try counts at most, for one may have waited long for a server. */
const longestTryMs = 100
/** The longer it takes, the more there are who try. */
const mostTriesWaited = 4

/** @param random from 0 to below 1 */
export function turns(clock: Clock, random: () => number): Turns {
  let turn = longestTurnAppends
  let appends = 0
  let wayMs = 0
  let gaveWay = false
  return {
    hasGivenWay: () => gaveWay,
    looked(isNew) {
      gaveWay = false
      turn = isNew ? turnAppends : Math.min(2 * turn, longestTurnAppends)
    },
    won(tookMs) {
      appends++
      if (appends < turn) return
      appends = 0
      gaveWay = true
      wayMs = givenTries * Math.min(tookMs, longestTryMs)
    },
    async lost(tries, tookMs) {
      turn = turnAppends
      appends = 0
      await pause(clock, random() * Math.min(tookMs, longestTryMs) * Math.min(tries, mostTriesWaited))
    },
    async giveWay() {
      if (wayMs === 0) return
      const restMs = wayMs
      wayMs = 0
      await pause(clock, restMs)
    },
  }
}
