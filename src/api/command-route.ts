import { createHmac } from 'node:crypto'
import { v7 } from 'uuid'
import { Id } from '../domain/values.ts'
import { mayTouch, type Principal } from '../engine/access.ts'
import type { Claims } from '../engine/claims.ts'
import type { Clock } from '../engine/clock.ts'
import type { Answer, Command } from '../engine/command.ts'
import type { CommandDefinition, Sent } from '../engine/command-definition.ts'
import type { CommandHandler } from '../engine/command-handler.ts'
import { notFound } from '../engine/errors.ts'
import type { Actor, EventData } from '../engine/event-store.ts'
import { filledPath, pathParameters } from '../engine/path-template.ts'
import { type PersonalData, personalPaths } from '../engine/personal-data.ts'
import { derivedId } from '../engine/streams.ts'
import type { ApiAnswer, ApiRequest, Route } from './exchange.ts'
import { canonicalJson, isRecord } from './json.ts'
import type { OutcomeWaiters } from './outcome-waiters.ts'
import type { PositionTokens } from './position-token.ts'
import { problem } from './problems.ts'
import { expectedRevisionOf, idempotencyKeyOf, occurredAtOf, waitSecondsOf } from './request-headers.ts'
import { assertStorable, inBody, inParameters, invalid, nullsAt, parse } from './validation.ts'

export interface CommandRouteOptions {
  readonly handler: CommandHandler
  readonly personal: PersonalData
  readonly claims: Claims
  readonly waiters: OutcomeWaiters
  readonly positions: PositionTokens
  readonly clock: Clock
  /** Of the keyed hash by which a reused Idempotency-Key is noticed. */
  readonly hashSecret: Uint8Array
}

/** A command as it was sent, parsed. */
interface Parsed {
  /** Id of the aggregate, or of the part of it that people name. */
  readonly id: string
  readonly commandId: string
  readonly hash: string
  readonly body: EventData
  readonly expectedRevision: number | undefined
  readonly occurredAt: string | undefined
  readonly waitSeconds: number
}

function actorOf({ kind, id }: Principal): Actor {
  return kind === 'anonymous' ? { kind: 'guest', id: 'anonymous' } : { kind, id }
}

/** The fields of a command's body that are sent in its path instead. */
export function bodyFieldsInPath({ path, body }: Pick<CommandDefinition, 'path' | 'body'>): readonly string[] {
  return pathParameters(path).filter((name) => name in body.shape)
}

/** The path parameter that is the aggregate's id: of commands that create it, only of those that put it there. */
function idParameterOf({ method, idParameter, location, chooseId }: CommandDefinition): string | undefined {
  return location === undefined || (method === 'PUT' && !chooseId) ? idParameter : undefined
}

/**
 * The route of a command: parse, authorise, claim, handle, answer.
 * @throws Error when a parameter of its path means nothing to it
 */
export function commandRoute(definition: CommandDefinition, options: CommandRouteOptions): Route {
  const { method, path, decider, type, who, within, location, outcome } = definition
  const { handler, personal, claims, waiters, positions, clock, hashSecret } = options
  const commandSchema = decider.commands[type]
  if (!commandSchema) throw new Error(`${decider.category} has no command ${type}`)
  const idParameter = idParameterOf(definition)
  const fromPath = new Set(bodyFieldsInPath(definition))
  const unused = pathParameters(path).find((name) => name !== idParameter && !fromPath.has(name))
  if (unused !== undefined) throw new Error(`Nothing in the command ${definition.name} takes {${unused}}`)
  const body = definition.body.strict()
  const personalInBody = personalPaths(body)
  const needsState = who.kind === 'owner' || personalPaths(commandSchema).length > 0
  const noun = decider.category.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const placeOf = (at: readonly PropertyKey[]) => (fromPath.has(String(at[0])) ? inParameters(at) : inBody(at))

  function parseBody({ body: sent = {}, parameters }: ApiRequest): EventData {
    if (!isRecord(sent) || Array.isArray(sent))
      throw invalid([{ detail: 'The body must be a JSON object.', pointer: '#' }])
    const doubled = [...fromPath].find((name) => Object.hasOwn(sent, name))
    if (doubled !== undefined) throw invalid([{ detail: 'It is in the path already.', ...inBody([doubled]) }])
    assertStorable(sent, inBody)
    const whole = { ...sent, ...Object.fromEntries([...fromPath].map((name) => [name, parameters[name]])) }
    const parsed = parse(body, whole, placeOf)
    const nulls = personalInBody.flatMap((at) => nullsAt(parsed, at))
    if (nulls.length > 0) throw invalid(nulls.map((at) => ({ detail: 'It must not be null.', ...placeOf(at) })))
    return parsed
  }

  function parseRequest(request: ApiRequest): Parsed {
    const { principal, parameters } = request
    const unknown = Object.keys(request.query)
    if (unknown.length > 0) {
      throw invalid(unknown.map((name) => ({ detail: 'There is no such parameter.', ...inParameters([name]) })))
    }
    const key = idempotencyKeyOf(request)
    if (key === undefined && definition.keyRequired) {
      throw problem(
        400,
        'idempotency-key-required',
        'Send an Idempotency-Key: a new random value for each new request.',
      )
    }
    const parsed = parseBody(request)
    const inPath = idParameter === undefined ? undefined : parameters[idParameter]
    const given = inPath === undefined ? definition.chooseId?.(parsed, principal) : undefined
    const known =
      inPath !== undefined
        ? parse(Id, inPath, () => inParameters([idParameter ?? '']))
        : given !== undefined
          ? parse(Id, given, () => inBody(['id']))
          : undefined
    const commandId =
      key === undefined
        ? v7()
        : derivedId(
            'command',
            principal.kind,
            principal.id,
            key,
            `${method} ${path}`,
            canonicalJson(parameters),
            given ?? '',
          )
    const occurredAt = occurredAtOf(request, clock.now())
    if (occurredAt !== undefined && definition.startsWork) {
      throw problem(
        400,
        'occurred-at-not-allowed',
        'What follows from this happens now, so it cannot be brought in as history. Leave Daybook-Occurred-At out.',
        { errors: [{ header: 'Daybook-Occurred-At', detail: 'It cannot be sent here.' }] },
      )
    }
    const sent = canonicalJson([request.body ?? {}, parameters, occurredAt ?? null])
    return {
      id: known ?? derivedId(commandId, 'id'),
      commandId,
      hash: createHmac('sha256', hashSecret).update(sent).digest('base64url'),
      body: parsed,
      expectedRevision: expectedRevisionOf(request),
      occurredAt,
      waitSeconds: outcome ? waitSecondsOf(request) : 0,
    }
  }

  async function authorise({ id }: Parsed, principal: Principal): Promise<unknown> {
    if (!needsState) return undefined
    const { state } = await handler.fold(decider, within ?? id)
    if (mayTouch(who, principal, state, id) !== 'allowed') throw notFound(noun, id)
    return state
  }

  async function handle(parsed: Parsed, state: unknown, { principal, correlationId }: ApiRequest): Promise<Answer> {
    const { id, commandId, expectedRevision, occurredAt } = parsed
    const sent: Sent = { id, principal, newId: (name) => derivedId(commandId, 'new', name) }
    const data = definition.toData(parsed.body, sent)
    const person = () => definition.personOf?.(sent, state, data) ?? id
    const sealed = await personal.seal(commandSchema ?? body, data, person)
    const command: Command = {
      decider,
      target: within ?? id,
      type,
      data: sealed,
      id: commandId,
      hash: parsed.hash,
      actor: actorOf(principal),
      correlationId,
      ...(occurredAt !== undefined && { occurredAt, imported: true }),
      ...(expectedRevision !== undefined && { expectedRevision }),
    }
    const answer = await claims.holding(
      definition.claims(data),
      command,
      () => handler.handle(command),
      definition.holds,
    )
    return { ...answer, id }
  }

  async function reply(answer: Answer, waitSeconds: number, { standBy }: ApiRequest): Promise<ApiAnswer> {
    const { id, revision } = answer
    const reached =
      outcome && waitSeconds > 0 ? await standBy(() => waiters.until(outcome, id, waitSeconds)) : undefined
    const position = positions.tokenOf(Math.max(answer.position, reached ?? 0))
    const ranOut = waitSeconds > 0 && reached === undefined
    return {
      status: ranOut ? 202 : location === undefined ? 200 : 201,
      headers: {
        'daybook-position': position,
        ...(location !== undefined && { location: filledPath(location, () => encodeURIComponent(id)) }),
        ...(reached !== undefined && { 'preference-applied': `wait=${waitSeconds}` }),
      },
      body: JSON.stringify({ id, revision, position }),
    }
  }

  return {
    method,
    path,
    who,
    async answer(request) {
      const parsed = parseRequest(request)
      const state = await authorise(parsed, request.principal)
      return await reply(await handle(parsed, state, request), parsed.waitSeconds, request)
    },
  }
}
