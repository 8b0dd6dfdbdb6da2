/** What can be asked for and what is answered, by method and path, from types that openapi-typescript made. */

export type Method = 'get' | 'post' | 'put' | 'delete'

/** The paths that have the method. */
export type PathsOf<Paths, M extends Method> = {
  [Path in keyof Paths]: Paths[Path] extends Readonly<Record<M, object>> ? Path : never
}[keyof Paths] &
  string

type OperationOf<Paths, M extends Method, Path extends keyof Paths> =
  Paths[Path] extends Readonly<Record<M, infer Operation>> ? Operation : never

type Json<Content> = Content extends { readonly content: { readonly 'application/json': infer Body } }
  ? Body
  : undefined

type PathPart<Operation> = Operation extends { readonly parameters: { readonly path: infer Path } }
  ? { readonly path: Path }
  : unknown

type QueryPart<Operation> = Operation extends { readonly parameters: { readonly query: infer Query } }
  ? { readonly query: Query }
  : Operation extends { readonly parameters: { readonly query?: infer Query } }
    ? [Query] extends [undefined]
      ? unknown
      : { readonly query?: Query }
    : unknown

type BodyPart<Operation> = Operation extends { readonly requestBody: infer Content }
  ? { readonly body: Json<Content> }
  : Operation extends { readonly requestBody?: infer Content }
    ? [Content] extends [undefined]
      ? unknown
      : { readonly body?: Json<NonNullable<Content>> }
    : unknown

/** What may be said of any request. */
export interface RequestOptions {
  readonly signal?: AbortSignal
  /** Names the request, and all that follows from it, in the shop's logs; 8 to 64 letters, digits, dots, dashes. */
  readonly correlationId?: string
}

/** What may be said of a command. */
export interface CommandOptions extends RequestOptions {
  /**
   * The same key is the same command: sent again, it takes effect once and gets the first answer. A new one is made if it
   * is absent; give one that you keep where a command must not be given twice, as by a page that is loaded anew.
   */
  readonly idempotencyKey?: string
  /** Only at this revision; otherwise a ProblemError 412. */
  readonly ifMatch?: number
  /** Seconds to wait for the outcome of what follows from the command, as of a payment; at most 30. */
  readonly waitSeconds?: number
}

type Flat<T> = { [Key in keyof T]: T[Key] }

/** All that is said of a request: the parameters of its path and query, its body, and what is not typed by the route. */
export type Asked<Paths, M extends Method, Path extends keyof Paths> = Flat<
  PathPart<OperationOf<Paths, M, Path>> &
    QueryPart<OperationOf<Paths, M, Path>> &
    BodyPart<OperationOf<Paths, M, Path>> &
    (M extends 'get' ? RequestOptions : CommandOptions)
>

/** The second argument of a call: it may be left out where nothing must be said. */
export type Arguments<T> = Record<never, never> extends T ? [asked?: T] : [asked: T]

type Success = 200 | 201 | 202 | 204

/** What is answered, parsed. */
export type Answer<Paths, M extends Method, Path extends keyof Paths> =
  OperationOf<Paths, M, Path> extends { readonly responses: infer Responses }
    ? { [Status in keyof Responses & Success]: Json<Responses[Status]> }[keyof Responses & Success]
    : never

/** The paths that answer in pages. */
export type PagedPaths<Paths> = {
  [Path in PathsOf<Paths, 'get'>]: Answer<Paths, 'get', Path> extends { readonly items: readonly unknown[] }
    ? Path
    : never
}[PathsOf<Paths, 'get'>]

/** One item of the pages of a path. */
export type Item<Paths, Path extends keyof Paths> =
  Answer<Paths, 'get', Path> extends { readonly items: readonly (infer Each)[] } ? Each : never
