/** Many who come at once. */

/** Nobody is refused for coming often, nor because a machine that tests share is slow. */
export const unlimited = {
  DAYBOOK_GUEST_TOKENS_PER_MINUTE: '1000000',
  DAYBOOK_RATE_LIMIT_PER_MINUTE: '1000000',
  DAYBOOK_MAX_TURN_MS: '60000',
}

const atATime = 30

/** Does something so many times, a few at a time. @returns what came of it, in order */
export async function inTurns<T>(count: number, run: (number: number) => Promise<T>): Promise<readonly T[]> {
  const results: T[] = []
  for (let first = 0; first < count; first += atATime) {
    const numbers = Array.from({ length: Math.min(atATime, count - first) }, (_, index) => first + index)
    results.push(...(await Promise.all(numbers.map(run))))
  }
  return results
}
