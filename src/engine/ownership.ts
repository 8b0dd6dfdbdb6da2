import { type Clock, pause } from './clock.ts'
import type { Coordination, Lease, Member } from './coordination.ts'
import { sameTokens, shareOut } from './shards.ts'

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
  /**
   * Begins what is held from now on, and ends what is no longer; resolves once what is lost is let go of. It is called again
   * before that, too.
   */
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
  /** What others are to have as soon as nothing is done with it any more here; until then its beats go on. */
  const leaving = new Map<string, number>()
  let known: readonly Member[] = []
  let present: readonly Member[] = []
  let cancelLapse = () => {}
  const stopping = new AbortController()

  async function hold(next: Held): Promise<void> {
    if (sameTokens(next, held)) return
    held = next
    await apply(next).catch(onFailure)
  }

  async function handOver(given: Held): Promise<void> {
    for (const [name, token] of given) leaving.set(name, token)
    try {
      await hold(without(held, given))
      await coordination.release(id, given)
    } finally {
      for (const name of given.keys()) leaving.delete(name)
    }
  }

  /** Keeps what is still held. */
  async function renew(): Promise<void> {
    const askedAtMs = clock.monotonic()
    if (info) await coordination.announce(id, info())
    const asked = new Map([...held, ...leaving])
    const kept = asked.size > 0 ? await coordination.renew(id, asked) : new Set<string>()
    // What can't be renewed for a lease counts as lost.
    cancelLapse()
    cancelLapse = clock.after(askedAtMs + leaseMs - clock.monotonic(), () => void hold(new Map()))
    void hold(without(held, new Map([...asked].filter(([name]) => !kept.has(name)))))
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

  /** Takes what is free of these. */
  async function take(wanted: readonly string[], leases: readonly Lease[]): Promise<Held> {
    const there = new Map(leases.map((lease) => [lease.name, lease]))
    const taken = new Map<string, number>()
    const takes = wanted.map(async (name) => {
      const seen = there.get(name)
      const isFree = seen === undefined || seen.owner === '' || seen.owner === id || leaseBeats.stillMs(name) >= leaseMs
      const token = isFree ? await coordination.take(name, id, seen) : undefined
      if (token !== undefined) taken.set(name, token)
    })
    for (const result of await Promise.allSettled(takes)) if (result.status === 'rejected') onFailure(result.reason)
    return taken
  }

  async function share(): Promise<void> {
    const leases = await look()
    const all = names
    const owners = ownersNow()
    const wanted = all.filter((name) => owners.get(name) === id && !held.has(name) && !leaving.has(name))
    const taken = await take(wanted, leases)
    // It has given up meanwhile, or stops.
    if (stopping.signal.aborted || names !== all) return await coordination.release(id, taken)
    void hold(new Map([...held, ...taken]))
    const given = new Map([...held].filter(([name]) => owners.get(name) !== id))
    if (given.size > 0) handOver(given).catch(onFailure)
  }

  /** Does something again and again, apart from all else: who looks for long renews in time all the same. */
  async function often(run: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      await run().catch(onFailure)
      await pause(clock, leaseMs / beatsInLease, stopping.signal)
    }
  }
  // The first sign of life comes before the first share.
  const first = renew().catch(onFailure)
  const working = first.then(() => Promise.all([often(renew), often(share)]))

  return {
    held: () => held,
    members: () => known.map((member) => ({ ...member, silentMs: memberBeats.stillMs(member.id) })),
    giveUp() {
      names = []
      handOver(held).catch(onFailure)
    },
    lost(name) {
      void hold(new Map([...held].filter(([other]) => other !== name)))
    },
    async stop() {
      stopping.abort()
      await working
      cancelLapse()
      try {
        await handOver(held)
        await coordination.leave(id)
      } catch (error) {
        onFailure(error)
      }
    },
  }
}

/** @returns `all` without those of `some` that have the same token */
function without(all: Held, some: Held): Held {
  return new Map([...all].filter(([name, token]) => some.get(name) !== token))
}
