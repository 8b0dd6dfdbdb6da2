import { z } from 'zod'

/** A time in a query, in any offset, as read models keep times: in UTC and milliseconds. */
export const Instant = z.iso
  .datetime({ offset: true, abort: true })
  .transform((at) => Temporal.Instant.from(at).toString({ fractionalSecondDigits: 3 }))
