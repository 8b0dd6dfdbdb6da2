import { expect } from 'vitest'
import { z } from 'zod'
import type { Client } from './client.ts'

/** When a shop is at rest. */

const Page = z.object({ items: z.array(z.unknown()) })
const Status = z.object({
  items: z.array(z.object({ status: z.string(), position: z.int(), lag: z.int(), rebuild: z.unknown().optional() })),
})

/** How far the read models are. */
export async function statusOf(client: Client) {
  return Status.parse((await client.get('/v1/projections', 'staff')).body).items
}

/** Everything that happens by itself has happened. */
export async function settled(client: Client, timeoutMs = 60_000): Promise<void> {
  const count = async (path: string) => Page.parse((await client.get(path, 'staff')).body).items.length
  let head = -1
  await expect
    .poll(
      async () => {
        const items = await statusOf(client)
        const before = head
        head = Math.max(...items.map(({ position, lag }) => position + lag))
        return {
          openWork: await count('/v1/open-work'),
          pendingOrders: await count('/v1/admin/orders?status=pending'),
          deadLetters: await count('/v1/dead-letters'),
          isStill: head === before,
          isBuilding: items.some(({ status, rebuild }) => status !== 'live' || rebuild !== undefined),
        }
      },
      { timeout: timeoutMs, interval: 250 },
    )
    .toEqual({ openWork: 0, pendingOrders: 0, deadLetters: 0, isStill: true, isBuilding: false })
}
