import type { Coordination, Lease, Member, OperatorRequest } from '../../engine/coordination.ts'

/**
 * What the members of a simulated cluster agree by, for as long as the process lives: all of them are given the same one.
 * Closing it does nothing, for others go on with it.
 */
export function memoryCoordination(): Coordination {
  const leases = new Map<string, Lease>()
  const members = new Map<string, Member>()
  const requests = new Map<string, OperatorRequest>()
  const settled = new Set<string>()

  function held(name: string, owner: string, token: number): Lease | undefined {
    const lease = leases.get(name)
    return lease?.owner === owner && lease.token === token ? lease : undefined
  }

  return {
    async leases() {
      return Array.from(leases.values())
    },

    async take(name, owner, seen) {
      const lease = leases.get(name)
      if (!isSame(lease, seen)) return undefined
      const token = (lease?.token ?? 0) + 1
      leases.set(name, { name, owner, token, beat: (lease?.beat ?? 0) + 1 })
      return token
    },

    async renew(owner, tokens) {
      const renewed = new Set<string>()
      for (const [name, token] of tokens) {
        const lease = held(name, owner, token)
        if (lease === undefined) continue
        leases.set(name, { ...lease, beat: lease.beat + 1 })
        renewed.add(name)
      }
      return renewed
    },

    async release(owner, tokens) {
      for (const [name, token] of tokens) {
        const lease = held(name, owner, token)
        if (lease !== undefined) leases.set(name, { ...lease, owner: '', beat: lease.beat + 1 })
      }
    },

    async members() {
      return structuredClone(Array.from(members.values()))
    },

    async announce(id, info) {
      members.set(id, { id, beat: (members.get(id)?.beat ?? 0) + 1, info: structuredClone(info) })
    },

    async leave(id) {
      members.delete(id)
    },

    async ask(request) {
      const { id } = request
      if (!settled.has(id) && !requests.has(id)) requests.set(id, { ...request })
    },

    async asked() {
      return Array.from(requests.values())
    },

    async settle(id) {
      if (requests.delete(id)) settled.add(id)
    },

    async close() {},
  }
}

function isSame(lease: Lease | undefined, seen: Lease | undefined): boolean {
  return lease?.owner === seen?.owner && lease?.token === seen?.token && lease?.beat === seen?.beat
}
