/** A command of the demo shop. */
export interface DemoRequest {
  readonly method: 'POST' | 'PUT'
  readonly path: string
  readonly body: unknown
  /** Makes it safe to send again. */
  readonly key: string
  /** ISO 8601; now, if absent. */
  readonly occurredAt?: string
}
