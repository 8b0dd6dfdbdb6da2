import type { Actor, RecordedEvent } from './event-store.ts'

/** The first answer to a command that was accepted. */
export interface AcceptedCommand {
  readonly hash?: string
  readonly revision: number
  readonly position: number
  /** When it was recorded, milliseconds since the epoch. */
  readonly at: number
}

export interface RecentCommands {
  find(commandId: string): AcceptedCommand | undefined
  add(commandId: string, actor: Actor, command: AcceptedCommand): void
  /** As plain JSON, for snapshots. */
  save(): SavedCommands
}

type Entries = readonly (readonly [string, AcceptedCommand])[]
export interface SavedCommands {
  readonly people: Entries
  readonly processes: Entries
}

const peoplesWindowMs = 25 * 3600_000
const processesBound = 256

/** True for those whose commands are repeated by the engine itself, soon and from the log. */
function isProcess(actor: Actor): boolean {
  return actor.kind === 'process' || actor.kind === 'system'
}

/**
 * The latest commands of one stream with their first answers, by which a command that is sent again is known:
 * people's for 25 hours of the stream's time, those of processes bounded by number.
 */
export function recentCommands(saved?: SavedCommands): RecentCommands {
  const people = new Map(saved?.people)
  const processes = new Map(saved?.processes)
  return {
    find: (commandId) => people.get(commandId) ?? processes.get(commandId),
    add(commandId, actor, command) {
      const commands = isProcess(actor) ? processes : people
      commands.set(commandId, command)
      // A map keeps the order of insertion, so the oldest come first.
      for (const [id, oldest] of commands) {
        const keep = isProcess(actor) ? commands.size <= processesBound : oldest.at > command.at - peoplesWindowMs
        if (keep) break
        commands.delete(id)
      }
    },
    save: () => ({ people: [...people], processes: [...processes] }),
  }
}

/** Adds the command that an event came from; of several events of one command the last counts. */
export function remember(recent: RecentCommands, event: RecordedEvent): void {
  const { commandId, commandHash, actor, recordedAt } = event.metadata
  recent.add(commandId, actor, {
    ...(commandHash !== undefined && { hash: commandHash }),
    revision: event.revision,
    position: event.position,
    at: Date.parse(recordedAt),
  })
}
