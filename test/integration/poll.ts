import { vi } from 'vitest'

/** Waits for something to be there. */
export async function poll<T>(find: () => Promise<T | undefined>): Promise<T> {
  return await vi.waitFor(
    async () => {
      const found = await find()
      if (found === undefined) throw new Error('It is not there')
      return found
    },
    { timeout: 20_000, interval: 20 },
  )
}
