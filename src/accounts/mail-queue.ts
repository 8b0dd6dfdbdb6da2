import pRetry, { AbortError } from 'p-retry'
import { type Clock, inTime } from '../engine/clock.ts'
import { UnavailableError } from '../engine/errors.ts'
import { type Mail, type MailGateway, UndeliverableMailError } from './mail-gateway.ts'

/** Mails that are sent after the answer, so that no answer waits for them, or tells by its time whether there is one. */
export interface MailQueue {
  /**
   * Sends a mail soon.
   * @param make makes it, or finds out that there is none to send
   * @throws UnavailableError when too many wait, or the shop stops
   */
  post(make: () => Promise<Mail | undefined>): void
  /** Sends a mail of what has happened already, which no lack of room can undo: where too many wait, or the shop stops, it is given up. */
  tell(make: () => Promise<Mail | undefined>): void
  /** Gives up what was not sent yet. What is under way is waited for, but not for long: a server may take it and never answer. */
  close(): Promise<void>
}

export interface MailQueueOptions {
  readonly gateway: MailGateway
  readonly clock: Pick<Clock, 'after'>
  /** Told of mails that were given up. */
  readonly onFailure: (error: unknown) => void
  /** Before the second try; it doubles with each. */
  readonly firstPauseMs?: number
}

const maxWaiting = 1_000
const atOnce = 4
const retries = 6
/** How long mails that are under way are waited for in the end. */
const longestCloseMs = 3_000

/** Nothing is lost with a mail that is not sent, for it can be asked for again: so the queue is in memory alone. */
export function mailQueue({ gateway, clock, onFailure, firstPauseMs = 1_000 }: MailQueueOptions): MailQueue {
  const waiting: (() => Promise<Mail | undefined>)[] = []
  const running = new Set<Promise<void>>()
  const closing = new AbortController()

  async function deliver(mail: Mail): Promise<void> {
    await gateway.send(mail).catch((error: unknown) => {
      throw error instanceof UndeliverableMailError ? new AbortError(error) : error
    })
  }

  async function sendNext(make: () => Promise<Mail | undefined>): Promise<void> {
    try {
      const mail = await make()
      if (mail === undefined) return
      await pRetry(() => deliver(mail), { retries, minTimeout: firstPauseMs, randomize: true, signal: closing.signal })
    } catch (error) {
      onFailure(error)
    }
  }

  function startNext(): void {
    const make = running.size < atOnce ? waiting.shift() : undefined
    if (make === undefined) return
    const sending = sendNext(make).finally(() => {
      running.delete(sending)
      startNext()
    })
    running.add(sending)
  }

  function post(make: () => Promise<Mail | undefined>): void {
    if (closing.signal.aborted)
      throw new UnavailableError('draining', 'The shop stops, and sends no mail any more. Try again.', 10)
    if (waiting.length >= maxWaiting)
      throw new UnavailableError('mail-busy', 'Too many mails wait to be sent. Try again.', 10)
    waiting.push(make)
    startNext()
  }

  return {
    post,

    tell(make) {
      try {
        post(make)
      } catch (error) {
        onFailure(error)
      }
    },

    async close() {
      if (waiting.length > 0) onFailure(new Error(`The shop stops: ${waiting.length} mails were not sent`))
      waiting.length = 0
      closing.abort(new Error('The shop stops: a mail was not sent'))
      await inTime(clock, longestCloseMs, Promise.all(running))
      await gateway.close()
    },
  }
}
