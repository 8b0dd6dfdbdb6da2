import { isDuplicateKey } from './connection.ts'

/**
 * Waits for a write that makes documents which others may be making, too.
 * @returns undefined if another was quicker with one of them; of a bulk write that is not ordered the rest is written
 */
export async function orDuplicate<Result>(write: Promise<Result>): Promise<Result | undefined> {
  try {
    return await write
  } catch (error) {
    if (isDuplicateKey(error)) return undefined
    throw error
  }
}

/** Runs an upsert by id again where another made the document meanwhile: then it is there. */
export async function upserted(upsert: () => Promise<unknown>): Promise<void> {
  if ((await orDuplicate(upsert())) === undefined) await upsert()
}
