/**
 * The port of the signal that something is to be looked at again, by names of which there are few: read models that have advanced,
 * or parts of all sessions of which one has ended. It only wakes those who wait, who then look for themselves: one that is lost or
 * comes twice does no harm. An adapter passes `test/contract/signal.ts` unchanged.
 */
export interface Signal {
  /** Tells all processes, this one too, what is to be looked at again. Never throws, and does not wait. */
  send(names: readonly string[]): void
  /**
   * Is told from now on.
   * @param onLost called when signals may have been missed: whoever waits has to look
   * @returns ends it
   */
  listen(run: (names: readonly string[]) => void, onLost?: () => void): () => void
  close(): Promise<void>
}
