/**
 * How the days of any time zone are made from what is kept by UTC. Sales are kept by the quarter of an hour: since 1980
 * the offset of every time zone is a whole number of them, so that a day, from its first instant to that of the next
 * day, is exact everywhere. An hour is one of the clock on the wall; where clocks were once put forward or back within
 * a quarter of an hour, that quarter counts to the hour in which it began.
 */

/** A document is of a UTC day (its parts are 96 quarters of an hour), of a month (days) or of a year (months). */
export type Level = 'day' | 'month' | 'year'

/** Neighbouring parts of one document. */
export interface Stretch {
  readonly level: Level
  /** ISO 8601: `2026-01-15`, `2026-01` or `2026`. */
  readonly period: string
  /** First part: quarters of an hour count from 0, days and months from 1. */
  readonly from: number
  /** The part behind the last one. */
  readonly to: number
}

/** A time that figures are asked for: whole quarters of an hour since 1970, UTC. */
export interface Span {
  /** When it begins on the wall, ISO 8601 with the offset. */
  readonly start: string
  readonly from: number
  readonly to: number
}

export type Interval = 'hour' | 'day' | 'month'

const quarterMs = 15 * 60_000
const quartersADay = 96

/** The parts that an instant falls into, one for each level. @param at ISO 8601 */
export function partsAt(
  at: string,
): readonly { readonly level: Level; readonly period: string; readonly part: number }[] {
  const { year, month, day, hour, minute } = Temporal.Instant.from(at).toZonedDateTimeISO('UTC')
  return [
    { level: 'day', period: dayPeriod(year, month, day), part: hour * 4 + Math.floor(minute / 15) },
    { level: 'month', period: monthPeriod(year, month), part: day },
    { level: 'year', period: yearPeriod(year), part: month },
  ]
}

/**
 * Cuts days into spans, in order and without a gap.
 * @param first the first day, ISO 8601
 * @param last the last day, included
 * @param timeZone IANA name
 */
export function spansOf(first: string, last: string, interval: Interval, timeZone: string): readonly Span[] {
  const start = Temporal.PlainDate.from(first)
  const end = Temporal.PlainDate.from(last).add({ days: 1 })
  const instants = interval === 'hour' ? hours(start, end, timeZone) : days(start, end, interval, timeZone)
  const endOfAll = quarterOf(end.toZonedDateTime(timeZone))
  const from = instants.map(quarterOf)
  return instants.map((instant, index) => ({
    start: instant.toString({ timeZoneName: 'never', smallestUnit: 'second' }),
    from: from[index] ?? endOfAll,
    to: from[index + 1] ?? endOfAll,
  }))
}

/** All of some days as one span. @param last the last day, included */
export function wholeSpan(first: string, last: string, timeZone: string): Span {
  const start = Temporal.PlainDate.from(first).toZonedDateTime(timeZone)
  const end = Temporal.PlainDate.from(last).add({ days: 1 }).toZonedDateTime(timeZone)
  return {
    start: start.toString({ timeZoneName: 'never', smallestUnit: 'second' }),
    from: quarterOf(start),
    to: quarterOf(end),
  }
}

/** The fewest stretches of documents that make up a span: quarters at its ends, days within months, months within years. */
export function stretchesOf({ from, to }: Pick<Span, 'from' | 'to'>): readonly Stretch[] {
  const firstDay = Math.ceil(from / quartersADay)
  const endDay = Math.floor(to / quartersADay)
  if (firstDay > endDay) return [ofDay(endDay, from, to)]
  return [
    ...(from < firstDay * quartersADay ? [ofDay(firstDay - 1, from, firstDay * quartersADay)] : []),
    ...(firstDay < endDay ? ofDays(dateOf(firstDay), dateOf(endDay)) : []),
    ...(endDay * quartersADay < to ? [ofDay(endDay, endDay * quartersADay, to)] : []),
  ]
}

function days(first: Temporal.PlainDate, end: Temporal.PlainDate, interval: 'day' | 'month', timeZone: string) {
  const result: Temporal.ZonedDateTime[] = []
  for (let day = first; Temporal.PlainDate.compare(day, end) < 0; ) {
    result.push(day.toZonedDateTime(timeZone))
    day = interval === 'day' ? day.add({ days: 1 }) : day.with({ day: 1 }).add({ months: 1 })
  }
  return result
}

function hours(first: Temporal.PlainDate, end: Temporal.PlainDate, timeZone: string) {
  const result: Temporal.ZonedDateTime[] = []
  const endMs = end.toZonedDateTime(timeZone).epochMilliseconds
  let hour = first.toZonedDateTime(timeZone)
  let change = hour.getTimeZoneTransition('next')
  while (hour.epochMilliseconds < endMs) {
    result.push(hour)
    const next = hour.add({ minutes: 60 - hour.minute })
    // An hour ends, too, where clocks are put forward or back.
    if (change !== null && change.epochMilliseconds <= next.epochMilliseconds) {
      hour = change
      change = hour.getTimeZoneTransition('next')
    } else hour = next
  }
  return result
}

function ofDay(day: number, from: number, to: number): Stretch {
  const { year, month, day: ofMonth } = dateOf(day)
  const first = day * quartersADay
  return { level: 'day', period: dayPeriod(year, month, ofMonth), from: from - first, to: to - first }
}

/** Whole UTC days, the end not included. */
function ofDays(first: Temporal.PlainDate, end: Temporal.PlainDate): readonly Stretch[] {
  const firstMonth = monthNumber(first) + (first.day === 1 ? 0 : 1)
  const endMonth = monthNumber(end)
  if (firstMonth > endMonth) return [ofMonth(first, first.day, end.day)]
  return [
    ...(first.day > 1 ? [ofMonth(first, first.day, first.daysInMonth + 1)] : []),
    ...ofMonths(firstMonth, endMonth),
    ...(end.day > 1 ? [ofMonth(end, 1, end.day)] : []),
  ]
}

function ofMonth({ year, month }: Temporal.PlainDate, from: number, to: number): Stretch {
  return { level: 'month', period: monthPeriod(year, month), from, to }
}

/** Whole UTC months, counted from the year 0, the end not included. */
function ofMonths(first: number, end: number): readonly Stretch[] {
  const result: Stretch[] = []
  for (let month = first; month < end; ) {
    const year = Math.floor(month / 12)
    const next = Math.min(end, (year + 1) * 12)
    result.push({ level: 'year', period: yearPeriod(year), from: (month % 12) + 1, to: next - year * 12 + 1 })
    month = next
  }
  return result
}

function monthNumber({ year, month }: Temporal.PlainDate): number {
  return year * 12 + month - 1
}

/** The first quarter of an hour that begins at this instant or later. */
function quarterOf(instant: Temporal.ZonedDateTime): number {
  return Math.ceil(instant.epochMilliseconds / quarterMs)
}

function dateOf(day: number): Temporal.PlainDate {
  return new Temporal.PlainDate(1970, 1, 1).add({ days: day })
}

function yearPeriod(year: number): string {
  return String(year).padStart(4, '0')
}

function monthPeriod(year: number, month: number): string {
  return `${yearPeriod(year)}-${String(month).padStart(2, '0')}`
}

function dayPeriod(year: number, month: number, day: number): string {
  return `${monthPeriod(year, month)}-${String(day).padStart(2, '0')}`
}
