import type { AppendFaults } from './append-service.ts'
import type { Listener } from './listener.ts'
import type { ReadFaults } from './read-service.ts'

/** What can go wrong with the server, at a test's word. */
export interface Faults {
  /** Drops all connections, now. The server goes on listening. */
  dropConnections(): void
  /** Refuses new connections until `acceptConnections`. */
  refuseConnections(): Promise<void>
  acceptConnections(): Promise<void>
  /** Holds back every answer for so long, pings' too; 0 ends it. */
  delayAnswers(delayMs: number): void
  /**
   * Takes connections and bytes, but reads and answers nothing, not even pings, until `thaw`.
   * @param forMs thaws by itself after so long
   */
  freeze(forMs?: number): void
  thaw(): void
  /** Writes the next appends, and does not say so. @param thenDrop drops the connections instead of answering */
  loseNextAnswers(count: number, thenDrop?: boolean): void
  /** Answers the next batch appends twice. */
  repeatNextAnswers(count: number): void
  /** Cuts the connections in the middle of a read or subscription, after so many more of their messages. */
  cutReadsAfter(messages: number): void
  /** Ends all subscriptions as those of a reader that is too slow. */
  abortSubscriptions(): void
  /** Ends all of these. */
  clear(): Promise<void>
}

export interface FaultSwitches extends AppendFaults, ReadFaults {
  /** What a test holds in its hands. */
  readonly faults: Faults
}

/** Faults that are off, and what the services ask about them. */
export function createFaults(listener: () => Listener): FaultSwitches {
  let answersToLose = 0
  let dropsWhenLost = false
  let answersToRepeat = 0
  let messagesBeforeCut: number | undefined
  let thawTimer: NodeJS.Timeout | undefined
  const subscriptions = new Set<() => void>()

  const faults: Faults = {
    dropConnections: () => listener().dropConnections(),
    refuseConnections: () => listener().refuse(),
    acceptConnections: () => listener().listen(),
    delayAnswers: (delayMs) => listener().delay(delayMs),
    freeze(forMs) {
      clearTimeout(thawTimer)
      listener().freeze()
      if (forMs !== undefined) thawTimer = setTimeout(faults.thaw, forMs)
    },
    thaw() {
      clearTimeout(thawTimer)
      listener().thaw()
    },
    loseNextAnswers(count, thenDrop = false) {
      answersToLose = count
      dropsWhenLost = thenDrop
    },
    repeatNextAnswers(count) {
      answersToRepeat = count
    },
    cutReadsAfter(messages) {
      messagesBeforeCut = messages
    },
    abortSubscriptions() {
      for (const abort of [...subscriptions]) abort()
    },
    async clear() {
      answersToLose = 0
      answersToRepeat = 0
      messagesBeforeCut = undefined
      faults.delayAnswers(0)
      faults.thaw()
      await faults.acceptConnections()
    },
  }

  return {
    faults,
    deliveryOfNextAnswer() {
      if (answersToLose > 0) {
        answersToLose--
        if (dropsWhenLost) listener().dropConnections()
        return 'never'
      }
      if (answersToRepeat === 0) return 'once'
      answersToRepeat--
      return 'twice'
    },
    shouldCutRead() {
      if (messagesBeforeCut === undefined) return false
      if (messagesBeforeCut-- > 0) return false
      messagesBeforeCut = undefined
      return true
    },
    cut: () => listener().dropConnections(),
    onAbort(abort) {
      subscriptions.add(abort)
      return () => subscriptions.delete(abort)
    },
  }
}
