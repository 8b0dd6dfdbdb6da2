import { z } from 'zod'
import type { Access, Principal } from '../engine/access.ts'
import type { ApiRequest, Route } from './exchange.ts'
import { parameterParser } from './query-route.ts'
import { assertStorable, inBody, parse } from './validation.ts'

interface Asked<P, B> {
  /** Those of path and query string, parsed. */
  readonly parameters: P
  readonly body: B
  readonly principal: Principal
  readonly request: Pick<ApiRequest, 'address' | 'correlationId' | 'headers'>
}

/** Something else than a command or a query that people may ask for, such as a token: nothing of it is in the log. */
export interface Operation {
  /** In camelCase. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly who: Access<never>
  readonly parameters: z.ZodObject
  /** Of those with a body. */
  readonly body?: z.ZodObject
  /** Absent for an answer without a body. */
  readonly result?: z.ZodType
  /** Of an answer: 201 where something was made, 202 where it goes on in the background. */
  readonly status: 200 | 201 | 202 | 204
  readonly requestsPerMinute?: number
  run(asked: Asked<Readonly<Record<string, unknown>>, unknown>): Promise<unknown>
}

/** Declares an operation; its types follow from its schemas. */
export function operation<
  P extends z.ZodObject,
  B extends z.ZodObject | undefined = undefined,
  R extends z.ZodType | undefined = undefined,
>(
  shape: Omit<Operation, 'parameters' | 'body' | 'result' | 'run'> & {
    readonly parameters: P
    readonly body?: B
    readonly result?: R
    readonly run: (
      asked: Asked<z.output<P>, B extends z.ZodObject ? z.output<B> : undefined>,
    ) => Promise<R extends z.ZodType ? z.output<R> : void>
  },
): Operation
export function operation(shape: Operation): Operation {
  return shape
}

const nothing = z.strictObject({})

/** The route of an operation: parse, run, answer. */
export function operationRoute(definition: Operation): Route {
  const { method, path, who, status, requestsPerMinute } = definition
  const parseParameters = parameterParser(definition.parameters, path)
  const body = definition.body?.strict() ?? nothing

  function parseBody({ body: sent = {} }: ApiRequest): unknown {
    assertStorable(sent, inBody)
    return parse(body, sent, inBody)
  }

  return {
    method,
    path,
    who,
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    async answer(request) {
      const { principal } = request
      const asked = { parameters: parseParameters(request), body: parseBody(request), principal, request }
      const answer = await definition.run(asked)
      return { status, headers: {}, body: answer === undefined ? '' : JSON.stringify(answer) }
    },
  }
}
