/**
 * The port of what processes of one cluster agree by: leases, who is there, and what operators ask of them. An adapter passes
 * `test/contract/coordination.ts` unchanged.
 */

/** The right to do something alone. It is lost when its beat stands still for longer than whoever wants it waits. */
export interface Lease {
  readonly name: string
  /** Id of the member that holds it; empty if it was released. */
  readonly owner: string
  /** Rises with each change of owner: what is written under a lower one is refused. */
  readonly token: number
  /** Rises with each renewal. */
  readonly beat: number
}

/** A process of the cluster. */
export interface Member {
  readonly id: string
  /** Rises with each announcement; a member whose beat stands still is gone. */
  readonly beat: number
  /** What it says of itself: JSON. */
  readonly info: Readonly<Record<string, unknown>>
}

/** Something that an operator asked of whoever runs a projection. */
export interface OperatorRequest {
  readonly id: string
  readonly action: 'rebuild' | 'skip'
  readonly projection: string
  /** The event that is to be skipped. */
  readonly eventId?: string
}

/** All functions throw UnavailableError when the store can't serve, and are safe to repeat. */
export interface Coordination {
  leases(): Promise<readonly Lease[]>
  /**
   * Takes a lease that is as it was seen, or that nobody ever held, in one atomic step.
   * @param seen the lease as `leases` gave it; undefined if it was not there
   * @returns the new token; undefined when another was quicker, or the owner has renewed it since
   */
  take(name: string, owner: string, seen: Lease | undefined): Promise<number | undefined>
  /**
   * Raises the beat of leases.
   * @param held names with their tokens
   * @returns the names of those that are still held under their tokens
   */
  renew(owner: string, held: ReadonlyMap<string, number>): Promise<ReadonlySet<string>>
  /** Lets others take leases at once; those that are no longer held are left alone. */
  release(owner: string, held: ReadonlyMap<string, number>): Promise<void>

  members(): Promise<readonly Member[]>
  /** Adds a member or replaces what it says of itself, and raises its beat. */
  announce(id: string, info: Member['info']): Promise<void>
  /** Removes a member. */
  leave(id: string): Promise<void>

  /** Asks whoever runs a projection for something; asking twice under the same id is asking once. */
  ask(request: OperatorRequest): Promise<void>
  /** What was asked and is not settled, the oldest first. */
  asked(): Promise<readonly OperatorRequest[]>
  settle(id: string): Promise<void>
  close(): Promise<void>
}
