import type { Clock } from './clock.ts'
import type { Coordination, Lease, Member } from './coordination.ts'
import { shareOut } from './shards.ts'

/** Leases with their tokens. */
export type Held = ReadonlyMap<string, number>

export interface SeenMember extends Member {
  /** For how long nothing was heard of it, as far as this process can know. */
  readonly silentMs: number
}

export interface Ownership {
  /** The leases that this process holds, as far as it can know. */
  held(): Held
  /** All members that there are traces of. */
  members(): readonly SeenMember[]
  /** Holds nothing from now on: a newer version has to go on. `info` is to say that it wants nothing. */
  giveUp(): void
  /** Lets go of what another has taken. */
  lost(name: string): void
  /** Lets others take over at once, after what was held is let go of. */
  stop(): Promise<void>
}

export interface OwnershipOptions {
  readonly coordination: Coordination
  readonly clock: Clock
  /** Names this process, other than any before it. */
  readonly id: string
  /** What this process tells others of itself; absent for one that only looks. */
  readonly info?: () => Member['info']
  /** Names of all that processes like this one share out among them. */
  readonly names: readonly string[]
  /** Whether a member takes part in sharing out a name. */
  readonly wants: (member: Member, name: string) => boolean
  /** How long a lease's beat stands still before another takes it. */
  readonly leaseMs: number
  /** Begins what is held from now on, and ends what is no longer; resolves once what is lost is let go of. */
  readonly apply: (held: Held) => Promise<void>
  readonly onFailure: (error: unknown) => void
}

/** Something whose beat is watched, and since when it has stood still, by this process's own clock. */
interface Sighting {
  readonly beat: string
  readonly sinceMs: number
}

const beatsInLease = 4
/** Leases that a member is silent before its traces are removed. */
const leasesToForget = 12

/**
 * Watches beats by one clock alone, so that no two clocks are ever compared.
 * @param longestGapMs who has not looked for longer than this, as one that was paused, knows nothing of what it saw before
 */
function sightings(now: () => number, longestGapMs: number) {
  let seen = new Map<string, Sighting>()
  let lookedAtMs = now()
  return {
    /** Takes note of all beats that there are now. */
    see(beats: ReadonlyMap<string, string>): void {
      if (now() - lookedAtMs > longestGapMs) seen = new Map()
      lookedAtMs = now()
      seen = new Map(
        [...beats].map(([name, beat]) => {
          const before = seen.get(name)
          return [name, before?.beat === beat ? before : { beat, sinceMs: now() }]
        }),
      )
    },
    /** For how long a beat has stood still. */
    stillMs: (name: string): number => now() - (seen.get(name)?.sinceMs ?? now()),
  }
}

/** Shares out work among the processes of a cluster by leases. */
export function ownership(options: OwnershipOptions): Ownership {
  const { coordination, clock, id, info, wants, leaseMs, apply, onFailure } = options
  let { names } = options
  const leaseBeats = sightings(clock.monotonic, leaseMs)
  const memberBeats = sightings(clock.monotonic, leaseMs)
  let held: Held = new Map()
  let known: readonly Member[] = []
  let present: readonly Member[] = []
  let renewedAtMs = clock.monotonic()
  let isDone = false
  let applying: Promise<void> = Promise.resolve()
  let cancelBeat = () => {}
  let beating: Promise<void> = Promise.resolve()

  function hold(next: Held): Promise<void> {
    const same = next.size === held.size && [...next].every(([name, token]) => held.get(name) === token)
    if (same) return applying
    held = next
    applying = applying.then(() => apply(held)).catch(onFailure)
    return applying
  }

  /** Keeps what is still held; what could not be renewed for too long counts as lost. */
  async function renew(): Promise<void> {
    const askedAtMs = clock.monotonic()
    const kept = held.size > 0 ? await coordination.renew(id, held) : new Set<string>()
    // Of nothing, too: what is taken after this is as new.
    renewedAtMs = askedAtMs
    void hold(new Map([...held].filter(([name]) => kept.has(name))))
  }

  async function look(): Promise<readonly Lease[]> {
    const [members, leases] = await Promise.all([coordination.members(), coordination.leases()])
    memberBeats.see(new Map(members.map((member) => [member.id, String(member.beat)])))
    leaseBeats.see(new Map(leases.map(({ name, token, beat }) => [name, `${token} ${beat}`])))
    known = members
    present = members.filter((member) => member.id === id || memberBeats.stillMs(member.id) < leaseMs)
    for (const member of members) {
      if (memberBeats.stillMs(member.id) >= leaseMs * leasesToForget) await coordination.leave(member.id)
    }
    return leases
  }

  /** Who is to hold what. What the same members want is shared out together, so that all of them come to the same. */
  function ownersNow(): ReadonlyMap<string, string> {
    const groups = new Map<string, { readonly members: readonly string[]; readonly names: string[] }>()
    for (const name of names) {
      const members = present.filter((member) => wants(member, name)).map((member) => member.id)
      const key = members.sort().join(' ')
      const group = groups.get(key) ?? { members, names: [] }
      groups.set(key, group)
      group.names.push(name)
    }
    return new Map([...groups.values()].flatMap((group) => [...shareOut(group.names, group.members)]))
  }

  async function share(leases: readonly Lease[]): Promise<void> {
    const there = new Map(leases.map((lease) => [lease.name, lease]))
    const owners = ownersNow()
    const next = new Map(held)
    const leaving = new Map<string, number>()
    for (const name of names) {
      const owner = owners.get(name)
      const token = held.get(name)
      if (owner !== id) {
        if (token === undefined) continue
        next.delete(name)
        leaving.set(name, token)
      } else if (token === undefined) {
        const seen = there.get(name)
        const isFree =
          seen === undefined || seen.owner === '' || seen.owner === id || leaseBeats.stillMs(name) >= leaseMs
        const taken = isFree ? await coordination.take(name, id, seen) : undefined
        if (taken !== undefined) next.set(name, taken)
      }
    }
    if (isDone) return
    const applied = hold(next)
    if (leaving.size > 0) {
      // Handed over only when nothing is done with it any more here; the beats go on meanwhile.
      void applied.then(() => coordination.release(id, leaving)).catch(onFailure)
    }
  }

  async function beat(): Promise<void> {
    try {
      if (info) await coordination.announce(id, info())
      await renew()
      await share(await look())
    } catch (error) {
      onFailure(error)
    }
    if (held.size > 0 && clock.monotonic() - renewedAtMs >= leaseMs) void hold(new Map())
  }

  function beatLater(delayMs: number): void {
    cancelBeat = clock.after(delayMs, () => {
      beating = beat().then(() => {
        if (!isDone) beatLater(leaseMs / beatsInLease)
      })
    })
  }
  beatLater(0)

  return {
    held: () => held,
    members: () => known.map((member) => ({ ...member, silentMs: memberBeats.stillMs(member.id) })),
    giveUp() {
      names = []
      const had = held
      void hold(new Map())
        .then(() => coordination.release(id, had))
        .catch(onFailure)
    },
    lost(name) {
      void hold(new Map([...held].filter(([other]) => other !== name)))
    },
    async stop() {
      isDone = true
      cancelBeat()
      await beating
      const had = held
      await hold(new Map())
      try {
        await coordination.release(id, had)
        await coordination.leave(id)
      } catch (error) {
        onFailure(error)
      }
    },
  }
}
