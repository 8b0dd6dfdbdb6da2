import type { Clock } from '../../engine/clock.ts'
import type { Connection, ReadCall } from './connection.ts'
import { readFailure, refuseClosed } from './failures.ts'
import type { ReadAnswer } from './read-answer.ts'
import type { ReadRequest } from './read-request.ts'

/** What a read answers, one after another. It comes only as fast as it is taken: the server waits for a slow reader. */
export interface Answers {
  /** The next one, if it is here already. */
  take(): ReadAnswer | undefined
  /**
   * Waits until there is something to take.
   * @param timeoutMs how long the server may be silent; for ever, if it is not given
   * @returns false when there is no more: all has been said, or the reader's signal was aborted
   * @throws UnavailableError when the call fails, the time is over, or the store closes
   */
  more(timeoutMs?: number): Promise<boolean>
  /**
   * Ends the call.
   * @param isShort lets the rest come, unread: a server that sees many calls broken off takes it for an attack
   */
  close(isShort?: boolean): void
}

/** Reads from the server, and ends all reads when the store closes. */
export interface Reader {
  /** @param signal ends the read quietly when it is aborted. @throws UnavailableError when no node can be reached */
  read(request: ReadRequest, signal?: AbortSignal): Promise<Answers>
  readonly isClosed: boolean
  close(): void
}

const longestOpeningMs = 10_000

export function openReader(connection: Pick<Connection, 'read'>, clock: Clock): Reader {
  const wakers = new Set<() => void>()
  let isClosed = false

  /** The way to a node may be long in the making: whoever waits is told in time, and what comes later is ended. */
  async function opened(request: ReadRequest): Promise<ReadCall> {
    const opening = connection.read(request)
    const { promise: late, reject } = Promise.withResolvers<never>()
    let isLate = false
    const cancelTimer = clock.after(longestOpeningMs, () => {
      isLate = true
      opening.then((call) => call.cancel()).catch(() => {})
      reject(new Error(`There was no way to the event log for ${longestOpeningMs} ms`))
    })
    try {
      return await Promise.race([opening, late])
    } catch (error) {
      throw readFailure(error)
    } finally {
      if (!isLate) cancelTimer()
    }
  }

  async function read(request: ReadRequest, signal?: AbortSignal): Promise<Answers> {
    if (isClosed) refuseClosed()
    const call = await opened(request)
    let next: ReadAnswer | null = null
    let failure: unknown
    let isOver = false
    let wake = () => {}
    const woken = () => wake()

    function end(): void {
      isOver = true
      wake()
    }

    function fail(error: unknown): void {
      failure ??= error
      wake()
    }

    call.on('readable', woken)
    call.on('end', end)
    call.on('error', fail)
    wakers.add(woken)
    signal?.addEventListener('abort', end)

    return {
      take() {
        const answer: ReadAnswer | null = next ?? call.read()
        next = null
        return answer ?? undefined
      },

      async more(timeoutMs) {
        const cancelTimer =
          timeoutMs === undefined
            ? () => {}
            : clock.after(timeoutMs, () => fail(new Error(`The event log was silent for ${timeoutMs} ms`)))
        try {
          for (;;) {
            if (isClosed) refuseClosed()
            if (signal?.aborted) return false
            next ??= call.read()
            if (next !== null) return true
            if (failure !== undefined) throw readFailure(failure)
            if (isOver) return false
            await new Promise<void>((resolve) => {
              wake = resolve
            })
          }
        } finally {
          cancelTimer()
        }
      },

      close(isShort = false) {
        wakers.delete(woken)
        signal?.removeEventListener('abort', end)
        if (isOver && signal?.aborted !== true) return
        if (isShort && failure === undefined) call.off('readable', woken).resume()
        // Within the turn in which it was made, gRPC can't end a call.
        else setImmediate(() => call.cancel())
      },
    }
  }

  return {
    read,
    get isClosed() {
      return isClosed
    },
    close() {
      isClosed = true
      for (const wake of wakers) wake()
    },
  }
}
