/** The port of mail. */

export interface Mail {
  /** The same for each try of one mail, so that who gets it twice can tell. */
  readonly id: string
  readonly to: string
  readonly subject: string
  /** Plain text. */
  readonly text: string
}

export interface MailGateway {
  /**
   * Hands a mail over; it is on its way when this resolves.
   * @throws UndeliverableMailError for one that no further try would deliver; any other error means: try again
   */
  send(mail: Mail): Promise<void>
  close(): Promise<void>
}

/** The mail was refused for good. */
export class UndeliverableMailError extends Error {
  override readonly name = 'UndeliverableMailError'
}
