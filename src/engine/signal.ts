/**
 * The port of the signal that read models have advanced, or that something else is to be looked at again, by names of which there
 * are few. It only wakes those who wait, who then look for themselves: one that is lost or comes twice does no harm. An adapter passes `test/contract/signal.ts` unchanged.
 */
export interface Signal {
  /** Tells all processes, this one too, which read models have advanced. Never throws, and does not wait. */
  send(projections: readonly string[]): void
  /**
   * Is told from now on.
   * @param onLost called when signals may have been missed: whoever waits has to look
   * @returns ends it
   */
  listen(run: (projections: readonly string[]) => void, onLost?: () => void): () => void
  close(): Promise<void>
}
