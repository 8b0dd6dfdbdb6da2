import type { Random } from '../../src/cli/random.ts'

/** What the load sent and what it was told: kept here, where no crash of the server reaches it. */

/** Who asks: `staff`, whose token is another after each start, or a guest by a token. */
export type Caller = 'staff' | { readonly token: string }

export interface SentCommand {
  readonly caller: Caller
  readonly method: 'POST' | 'PUT'
  readonly path: string
  readonly body: object
  readonly key: string
  /** How long it waits for its outcome, in seconds. */
  readonly waitS?: number
  /** The category of its stream, and the type of an event that it causes there. */
  readonly category: string
  readonly causes: string
  /** What it asks for may have come about by itself: then it causes nothing. */
  readonly mayFindItDone?: true
}

export interface Accepted {
  readonly id: string
  readonly revision: number
  readonly position: string
}

export interface AcceptedCommand {
  readonly command: SentCommand
  readonly answer: Accepted
}

export interface Journal {
  /** Notes a command as sent, before it is. */
  sent(command: SentCommand): void
  /** Notes that a command was under way when the server died, and is sent again. */
  doubted(): void
  accepted(command: SentCommand, answer: Accepted): void
  /** Notes that a command was refused, which settles it: nothing came of it. */
  refused(command: SentCommand, code: string): void
  /** Every command that was accepted, the first one first. */
  readonly all: readonly AcceptedCommand[]
  /** Commands without an answer as yet. */
  underWay(): number
  /** How often a command was in doubt. */
  doubts(): number
  /** How many were refused, by code. */
  readonly refusals: ReadonlyMap<string, number>
  /** The newest of those that were accepted, and some of all others. */
  sample(newest: number, others: number, chance: Random): readonly AcceptedCommand[]
}

export function journal(): Journal {
  const all: AcceptedCommand[] = []
  const refusals = new Map<string, number>()
  let underWay = 0
  let doubts = 0
  return {
    all,
    refusals,
    sent() {
      underWay++
    },
    doubted() {
      doubts++
    },
    accepted(command, answer) {
      underWay--
      all.push({ command, answer })
    },
    refused(_command, code) {
      underWay--
      refusals.set(code, (refusals.get(code) ?? 0) + 1)
    },
    underWay: () => underWay,
    doubts: () => doubts,
    sample(newest, others, chance) {
      const older = Array.from({ length: others }, () => all[chance.between(0, all.length - 1)])
      return [...all.slice(-newest), ...older.filter((each) => each !== undefined)]
    },
  }
}
