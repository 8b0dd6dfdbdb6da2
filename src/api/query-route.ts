import { z } from 'zod'
import { mayTouch } from '../engine/access.ts'
import type { Clock } from '../engine/clock.ts'
import { pathParameters } from '../engine/path-template.ts'
import { type PersonalData, personalPaths } from '../engine/personal-data.ts'
import type { ReadModels } from '../engine/projections.ts'
import { generationOfCursor } from '../engine/query.ts'
import type { QueryDefinition } from '../engine/query-definition.ts'
import { unwrapped } from '../engine/schema-wrappers.ts'
import { traced } from '../engine/tracing.ts'
import { type ApiRequest, headerOf, type Route } from './exchange.ts'
import { isRecord } from './json.ts'
import { type PositionTokens, unknownPosition } from './position-token.ts'
import { problem } from './problems.ts'
import { shapeOf } from './result-shape.ts'
import { assertStorable, inParameters, invalid, parse } from './validation.ts'

export interface QueryRouteOptions {
  readonly projections: Pick<ReadModels, 'freshen' | 'reader' | 'waitFor' | 'position'>
  readonly personal: PersonalData
  readonly positions: PositionTokens
  /** How far the log goes. */
  head(): Promise<number>
  readonly clock: Clock
  /** How long a query waits for the position that it was sent. */
  readonly queryWaitMs: number
}

function isList(schema: z.core.$ZodType): boolean {
  const inner = unwrapped(schema)
  return inner === undefined ? schema instanceof z.ZodArray : isList(inner)
}

/** The parameters of path and query string, parsed by one schema: unknown ones are refused, each fault names its own. */
export function parameterParser(
  schema: z.ZodObject,
  path: string,
): (request: Pick<ApiRequest, 'parameters' | 'query'>) => Readonly<Record<string, unknown>> {
  const inPath = new Set(pathParameters(path))
  const lists = Object.keys(schema.shape).filter((name) => isList(schema.shape[name]))
  const strict = schema.strict()
  return ({ parameters, query }) => {
    const doubled = Object.keys(query).filter((name) => inPath.has(name))
    if (doubled.length > 0) {
      throw invalid(doubled.map((name) => ({ detail: 'There is no such parameter.', ...inParameters([name]) })))
    }
    const sent: Record<string, unknown> = { ...query, ...parameters }
    for (const name of lists) if (typeof sent[name] === 'string') sent[name] = [sent[name]]
    assertStorable(sent, inParameters)
    return parse(strict, sent, inParameters)
  }
}

function revisionOf(answer: unknown): number | undefined {
  return isRecord(answer) && typeof answer.revision === 'number' ? answer.revision : undefined
}

function nothingThere() {
  return problem(404, 'not-found', 'There is no such thing, or it is somebody else’s.')
}

/** The route of a query: parse, wait for the position that was sent, read, authorise, open, answer. */
export function queryRoute(definition: QueryDefinition, options: QueryRouteOptions): Route {
  const { path, who, from, result } = definition
  const { projections, personal, positions, head, clock, queryWaitMs } = options
  const parseParameters = parameterParser(definition.parameters, path)
  /** After a restore there are positions that the log has not, or not yet again: to wait for them would never end. */
  async function caughtUpWith(position: number): Promise<void> {
    try {
      await projections.waitFor(from, position, queryWaitMs)
    } catch (error) {
      if (position > (await head())) throw unknownPosition()
      throw error
    }
  }

  const shape = shapeOf(result) ?? ((value: unknown) => value)
  const isPersonal = personalPaths(result).length > 0
  const [idParameter = ''] = pathParameters(path)

  return {
    method: 'GET',
    path,
    who,
    async answer(request) {
      const { principal } = request
      const parameters = parseParameters(request)
      const token = headerOf(request, 'daybook-position')
      if (token !== undefined) {
        const written = positions.positionOf(token)
        await traced(
          `wait for ${from}`,
          () => ({}),
          () => request.standBy(() => caughtUpWith(written)),
        )
      } else await projections.freshen(from)

      const { cursor } = parameters
      const generationId = definition.paged && typeof cursor === 'string' ? generationOfCursor(cursor) : undefined
      const position = projections.position(from)
      const reader = projections.reader(from, generationId)
      const now = new Date(clock.now()).toISOString()
      const found = await traced(
        `query ${definition.name}`,
        () => ({ attributes: { 'daybook.projection': from, 'daybook.position': position } }),
        () => definition.run({ parameters, principal, reader, now }),
      )
      if (found === undefined) throw nothingThere()
      if (mayTouch(who, principal, found, request.parameters[idParameter] ?? '') !== 'allowed') throw nothingThere()

      const shown = shape(found)
      const answer = isPersonal ? (await personal.open(result, [shown]))[0] : shown
      const revision = revisionOf(answer)
      return {
        status: 200,
        headers: {
          'daybook-position': positions.tokenOf(position),
          ...(revision !== undefined && { etag: `"${revision}"` }),
        },
        body: JSON.stringify(answer),
      }
    },
  }
}
