import type { z } from 'zod'
import type { CommandSchemas, Decider } from './decider.ts'
import type { Actor, EventData, NewEvent } from './event-store.ts'
import type { DomainEvent } from './events.ts'
import { derivedId, streamName } from './streams.ts'

/** A command on its way to the aggregate that decides it. */
export interface Command {
  readonly decider: Decider
  /** Id of the aggregate. */
  readonly target: string
  readonly type: string
  readonly data: EventData
  /** The same id is the same command: it takes effect once. */
  readonly id: string
  /** Keyed hash of what a person sent, by which a reused id is noticed. */
  readonly hash?: string
  readonly actor: Actor
  readonly correlationId: string
  readonly causationId?: string
  /** ISO 8601; now, if absent. */
  readonly occurredAt?: string
  readonly imported?: boolean
  /** Decide only at this revision. */
  readonly expectedRevision?: number
}

/** The answer to a command that was accepted. */
export interface Answer {
  /** Id of the aggregate. */
  readonly id: string
  /** The aggregate's revision after it. */
  readonly revision: number
  /** Position of its last event; of the stream's last where nothing had to happen. */
  readonly position: number
}

/** A command for an aggregate as processes and jobs make it; the engine adds id, actor and causation. */
export interface Ask {
  readonly decider: Decider
  readonly target: string
  readonly type: string
  readonly data: EventData
}

/**
 * Asks for a command: `ask(stockItem, sku, 'ReserveStock', { ... })`.
 * @param decider the aggregate that decides it
 * @param target its id
 */
export function ask<C extends CommandSchemas, Type extends keyof C & string>(
  decider: Decider<unknown, C>,
  target: string,
  type: Type,
  data: z.output<C[Type]>,
): Ask {
  return { decider, target, type, data }
}

export function streamOf(command: Pick<Command, 'decider' | 'target'>): string {
  return streamName(command.decider.category, command.target)
}

/**
 * The events of one command, ready for the log. Their ids follow from the command's id, their number and their content.
 * @param recordedAt ISO 8601
 */
export function newEvents(command: Command, events: readonly DomainEvent[], recordedAt: string): readonly NewEvent[] {
  return events.map(({ type, data }, number) => {
    const definition = command.decider.events.byType.get(type)
    if (definition === undefined) throw new Error(`${command.decider.category} does not define the event ${type}`)
    const dataJson = JSON.stringify(data)
    const metadata = {
      commandId: command.id,
      ...(command.hash !== undefined && { commandHash: command.hash }),
      correlationId: command.correlationId,
      ...(command.causationId !== undefined && { causationId: command.causationId }),
      actor: command.actor,
      version: definition.version,
      recordedAt,
      occurredAt: command.occurredAt ?? recordedAt,
      ...(command.imported && { imported: true as const }),
    }
    return {
      id: derivedId(command.id, number, type, dataJson),
      type,
      // As a reader of the log gets it: without fields that are undefined, and with no value shared.
      data: JSON.parse(dataJson),
      metadata,
      dataJson,
      metadataJson: JSON.stringify(metadata),
    }
  })
}

/** What a store adds to each event, a checksum for instance; its type is kept with two bytes a character. */
const overheadBytes = 32

/** How much of an append's bytes events take. */
export function byteSize(events: readonly NewEvent[]): number {
  return events.reduce(
    (sum, { type, dataJson, metadataJson }) =>
      sum + Buffer.byteLength(dataJson) + Buffer.byteLength(metadataJson) + 2 * type.length + overheadBytes,
    0,
  )
}
