import type { z } from 'zod'
import type { Access, Principal } from './access.ts'
import type { CommandSchemas, Decider } from './decider.ts'
import type { EventData } from './event-store.ts'
import { pathParameters } from './path-template.ts'

/** What a command's data is made from beside the body. */
export interface Sent {
  /** Id of the aggregate. */
  readonly id: string
  readonly principal: Principal
  /** Ids for what comes to be with the command, the same when it is sent again. */
  newId(name: string): string
}

export interface UniqueValue {
  /** What it is, in words: `e-mail address`. */
  readonly noun: string
  readonly value: string
}

/** The outcome of the process that a command starts, for those who want to wait for it. */
export interface Outcome {
  readonly decider: Decider
  /** Id of the aggregate that comes to the outcome, from that of the command. */
  idOf(id: string): string
  isReached(state: unknown): boolean
}

/** A command that people may send: route, documentation, permission and target in one place. */
export interface CommandDefinition {
  /** Name of the operation in camelCase. */
  readonly name: string
  readonly method: 'POST' | 'PUT' | 'DELETE'
  /** With parameters in braces. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly who: Access<unknown>
  readonly decider: Decider
  readonly type: string
  /** What the caller sends. */
  readonly body: z.ZodObject
  /** Id of the one aggregate that what people name is a part of; absent where each is an aggregate of its own. */
  readonly within?: string
  /** The path parameter that is the aggregate's id, or its part's; none where the command creates it. */
  readonly idParameter: string | undefined
  /** Where an aggregate that the command creates can be read, with its id in braces. */
  readonly location?: string
  /** The id of an aggregate that the command creates, if the caller chooses it. */
  chooseId?(body: EventData, principal: Principal): string | undefined
  readonly keyRequired: boolean
  /** A process or a job follows from it: none does from history that is brought in, so it cannot be sent as such. */
  readonly startsWork: boolean
  /** Whose the personal data in it is; absent where it takes none. */
  personOf?(sent: Sent, state: unknown, data: EventData): string
  /** Values that must be unique in the shop, claimed before the command is decided. */
  claims(data: EventData): readonly UniqueValue[]
  /** Whether an aggregate that exists still holds what it has claimed; once it does not, it never does again. */
  holds(state: unknown): boolean
  /** The command's data: what was sent, and what follows from who sent it. */
  toData(body: EventData, sent: Sent): EventData
  readonly outcome?: Outcome
}

type Body<C extends CommandSchemas, Type extends keyof C, B> = B extends z.ZodObject ? z.output<B> : z.output<C[Type]>

interface Shape<State, C extends CommandSchemas, Type extends keyof C & string, B extends z.ZodObject | undefined> {
  readonly name: string
  readonly route: `${'POST' | 'PUT' | 'DELETE'} /${string}`
  readonly summary: string
  readonly description?: string
  readonly who: Access<State>
  readonly target: Decider<State, C>
  readonly type: Type
  /** Id of the one aggregate that what people name is a part of, so that all of it is decided together. */
  readonly within?: string
  /** By default the command's own schema. */
  readonly body?: B
  readonly creates?: {
    readonly location: string
    readonly id?: (body: Body<C, Type, B>, principal: Principal) => string | undefined
  }
  /** True where money or stock moves. */
  readonly keyRequired?: boolean
  /** True where a process or a job does the rest, such as paying money back. */
  readonly startsWork?: boolean
  /** Id of the person whose the personal data in it is; a shop with a command that takes such data and does not say it does not start. */
  readonly personOf?: (sent: Sent, state: State, data: z.output<C[Type]>) => string
  readonly claims?: (data: z.output<C[Type]>) => readonly UniqueValue[]
  /** By default what exists holds its claims for ever. */
  readonly holds?: (state: State) => boolean
  readonly toData?: (body: Body<C, Type, B>, sent: Sent) => z.output<C[Type]>
  readonly outcome?: Outcome
}

/** The outcome of a process, in the terms of the aggregate that comes to it. */
export function outcome<State>(given: {
  readonly of: Decider<State>
  readonly idOf: (id: string) => string
  readonly isReached: (state: State) => boolean
}): Outcome
export function outcome(given: { of: Decider; idOf(id: string): string; isReached(state: unknown): boolean }): Outcome {
  const { of, idOf, isReached } = given
  return { decider: of, idOf, isReached }
}

/**
 * Lets people send a command. Route, documentation, permission, idempotency, `If-Match` and errors come from this alone.
 * A command that does not create its aggregate finds the id in the first parameter of its path.
 */
export function command<
  State,
  C extends CommandSchemas,
  Type extends keyof C & string,
  B extends z.ZodObject | undefined = undefined,
>(shape: Shape<State, C, Type, B>): CommandDefinition
export function command(shape: {
  readonly name: string
  readonly route: string
  readonly summary: string
  readonly description?: string
  readonly who: Access<unknown>
  readonly target: Decider
  readonly type: string
  readonly within?: string
  readonly body?: z.ZodObject
  readonly creates?: { readonly location: string; id?(body: EventData, principal: Principal): string | undefined }
  readonly keyRequired?: boolean
  readonly startsWork?: boolean
  personOf?(sent: Sent, state: unknown, data: EventData): string
  claims?(data: EventData): readonly UniqueValue[]
  holds?(state: unknown): boolean
  toData?(body: EventData, sent: Sent): EventData
  readonly outcome?: Outcome
}): CommandDefinition {
  const { route, target, type, within, creates, description, outcome: awaited } = shape
  const [, method, path] = /^(POST|PUT|DELETE) (\/.*)$/.exec(route) ?? []
  const body = shape.body ?? target.commands[type]
  if ((method !== 'POST' && method !== 'PUT' && method !== 'DELETE') || path === undefined || body === undefined) {
    throw new Error(`The command ${shape.name} has no valid route or body`)
  }
  const [idParameter] = pathParameters(path)
  if (!creates && idParameter === undefined) {
    throw new Error(
      `The command ${shape.name} has no aggregate: put its id into the route in braces, or say that it creates one (\`creates\`).`,
    )
  }
  return {
    name: shape.name,
    method,
    path,
    summary: shape.summary,
    ...(description !== undefined && { description }),
    who: shape.who,
    decider: target,
    type,
    body,
    ...(within !== undefined && { within }),
    idParameter,
    ...(creates && { location: creates.location }),
    ...(creates?.id && { chooseId: creates.id }),
    keyRequired: shape.keyRequired ?? false,
    startsWork: shape.startsWork ?? false,
    ...(shape.personOf && { personOf: shape.personOf }),
    claims: shape.claims ?? (() => []),
    holds: shape.holds ?? (() => true),
    toData: shape.toData ?? ((sent) => sent),
    ...(awaited && { outcome: awaited }),
  }
}
