/** What must not happen at once, in the order in which it was asked for. */
export interface OneAtATime {
  /** Runs when all that was asked for before has ended, however it ended. Throws as what it runs. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>
  /** Resolves once all that was asked for has ended. */
  readonly ended: () => Promise<void>
}

export function oneAtATime(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run(work) {
      const turn = last.then(work)
      last = turn.catch(() => undefined)
      return turn
    },
    async ended() {
      await last
    },
  }
}
