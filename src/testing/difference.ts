import { AssertionError, deepStrictEqual } from 'node:assert/strict'

/**
 * Compares, and says what differs, whatever runs the test.
 * @param what was looked at, for the message
 * @throws AssertionError with the difference
 */
export function assertEqual(actual: unknown, expected: unknown, what: string): void {
  try {
    deepStrictEqual(actual, expected)
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error
    const { message, operator } = error
    throw new AssertionError({ message: `${what}: ${message}`, actual, expected, operator, stackStartFn: assertEqual })
  }
}
