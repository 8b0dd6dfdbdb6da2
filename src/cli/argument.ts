import { InvalidArgumentError } from 'commander'

/** What is typed for an argument, as commands take it. */

/** Several values, separated by commas. */
export function list(value: string): string[] {
  return value.split(',').map((item) => item.trim())
}

/** @throws InvalidArgumentError for what is no whole number above zero */
export function positive(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number above zero.')
  return number
}
