/** What a benchmark is, and how it is measured: rounds of it and rounds of its limit in turn, and the medians of both. */

/** What a figure or a ratio has to be. */
export interface Goal {
  /** The figure itself, or what it is of its limit. */
  readonly of: 'figure' | 'ratio'
  readonly is: 'at least' | 'at most'
  readonly value: number
}

/** One of the things that a round measures. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** What nothing of this kind can beat, measured in the same run; absent where there is no such thing. */
  readonly limit?: string
  /** None for what is only to be known. */
  readonly goal?: Goal
}

/** What a round measured, by the names of the figures. */
export type Readings<Name extends string = string> = Readonly<Partial<Record<Name, number>>>

/** A benchmark that was prepared. */
export interface Rounds<Name extends string = string> {
  /** Runs it once. @throws Error when what it did is not what it should have done */
  round(): Promise<Readings<Name>>
  /** Measures the limit once: readings of those figures that have one. */
  limit?(): Promise<Readings<Name>>
  /** Before what was deferred is done. */
  close?(): Promise<void>
}

export interface Surroundings {
  /** An empty directory of the benchmark's own, removed after it. */
  readonly directory: string
  /** Whether processes that are measured should write a CPU profile, and where. */
  readonly profileDirectory: string | undefined
  /** Tells whoever waits how far it is. */
  progress(what: string): void
  /** Does something after the benchmark, what was deferred last first; also when it could not be prepared. */
  defer(close: () => Promise<void>): void
}

export interface Benchmark {
  readonly name: string
  /** What is done, how much of it, and by whom. */
  readonly title: string
  readonly figures: readonly Figure[]
  /** Makes ready what all rounds share. */
  prepare(surroundings: Surroundings): Promise<Rounds>
}

/** Defines a benchmark, so that its rounds can't measure anything but its figures. */
export function benchmark<const F extends Figure>(definition: {
  readonly name: string
  readonly title: string
  readonly figures: readonly F[]
  prepare(surroundings: Surroundings): Promise<Rounds<F['name']>>
}): Benchmark {
  return definition
}

/** The middle of what the rounds measured, and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly rounds: readonly number[]
}

export interface Measured extends Figure {
  readonly figure: Spread
  readonly measuredLimit?: Spread
  /** Of the medians. */
  readonly ratio?: number
  readonly reached?: boolean
}

/** @throws Error when there is nothing to sum up, or something that is no number */
export function spread(rounds: readonly number[]): Spread {
  const sorted = rounds.toSorted((left, right) => left - right)
  const [min, max] = [sorted[0], sorted.at(-1)]
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]]
  const isWhole = rounds.every((round) => Number.isFinite(round))
  if (!isWhole || min === undefined || max === undefined || low === undefined || high === undefined) {
    throw new Error(`Rounds measured what is no number: ${rounds.join(', ') || 'nothing'}`)
  }
  return { median: (low + high) / 2, min, max, rounds }
}

function isReached({ of, is, value }: Goal, figure: number, ratio: number | undefined): boolean {
  const measured = of === 'figure' ? figure : ratio
  if (measured === undefined) throw new Error('A goal of a ratio needs a limit')
  return is === 'at least' ? measured >= value : measured <= value
}

function summed(figure: Figure, rounds: readonly Readings[], limits: readonly Readings[]): Measured {
  const readings = (of: readonly Readings[]) => of.map(({ [figure.name]: reading }) => reading ?? Number.NaN)
  const measured = spread(readings(rounds))
  const limit = figure.limit === undefined ? undefined : spread(readings(limits))
  const ratio = limit && measured.median / limit.median
  return {
    ...figure,
    figure: measured,
    ...(limit && { measuredLimit: limit }),
    ...(ratio !== undefined && { ratio }),
    ...(figure.goal && { reached: isReached(figure.goal, measured.median, ratio) }),
  }
}

/**
 * Runs a benchmark.
 * @param count rounds of it, and as many of its limit, by turns: what else the machine does then falls on both
 * @throws Error when a round fails, or measured less than it says
 */
export async function measure(
  definition: Benchmark,
  count: number,
  surroundings: Omit<Surroundings, 'defer'>,
): Promise<readonly Measured[]> {
  surroundings.progress('is prepared')
  await using opened = new AsyncDisposableStack()
  const prepared = await definition.prepare({ ...surroundings, defer: (close) => opened.defer(close) })
  if (prepared.close) opened.defer(prepared.close)
  const rounds: Readings[] = []
  const limits: Readings[] = []
  for (let number = 1; number <= count; number++) {
    if (prepared.limit) {
      surroundings.progress(`limit ${number} of ${count}`)
      limits.push(await prepared.limit())
    }
    surroundings.progress(`round ${number} of ${count}`)
    const readings = await prepared.round()
    rounds.push(readings)
    const shown = definition.figures.map(({ name, unit }) => `${name} ${readings[name]?.toPrecision(4)} ${unit}`)
    surroundings.progress(shown.join(', '))
  }
  return definition.figures.map((figure) => summed(figure, rounds, limits))
}
