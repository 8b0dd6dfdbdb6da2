import { z } from 'zod'

/** What the processes of a cluster tell each other of themselves. */

export const roles = ['api', 'projector', 'worker'] as const
export type Role = (typeof roles)[number]

const Count = z.int().min(0)

const Rebuild = z.object({ position: Count, head: Count, events: Count, elapsedMs: z.number() })

const ShardStatus = z.object({
  name: z.string(),
  version: z.int(),
  shards: z.array(Count),
  position: Count,
  lagMs: Count,
  /** Folded in a second; not said by older versions. */
  eventsPerSecond: z.number().exactOptional(),
  error: z.string().exactOptional(),
  poison: z.object({ position: Count, eventId: z.string(), type: z.string() }).exactOptional(),
  rebuild: Rebuild.exactOptional(),
  rebuildFailure: z.string().exactOptional(),
})
/** What a process says of the hash shards of a projection that it runs. */
export type ShardStatus = z.output<typeof ShardStatus>

export const MemberInfo = z.object({
  name: z.string(),
  roles: z.array(z.enum(roles)),
  /** Version of Daybook. */
  version: z.string(),
  startedAt: z.string(),
  /** What it takes part in sharing out. */
  units: z.array(z.string()),
  /** Versions of the projections that it answers queries with. */
  serves: z.array(z.object({ projection: z.string(), version: z.int() })),
  projections: z.array(ShardStatus),
  processes: z.array(
    z.object({
      name: z.string(),
      position: Count,
      underWay: Count,
      /** Not said by older versions. */
      lagMs: Count.exactOptional(),
      reactions: Count.exactOptional(),
      error: z.string().exactOptional(),
    }),
  ),
})
export type MemberInfo = z.output<typeof MemberInfo>

/** What the leases of one thing that is shared out have in common: their name without the shard. */
export function unitOf(lease: string): string {
  return lease.replace(/\/\d+$/, '')
}
