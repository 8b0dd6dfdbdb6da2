/** Paths of routes, with parameters in braces as OpenAPI writes them: `/v1/orders/{orderId}/cancel`. */

const parameter = /\{(\w+)\}/g

/** Names of a path's parameters, in their order. */
export function pathParameters(path: string): readonly string[] {
  return [...path.matchAll(parameter)].flatMap(([, name]) => name ?? [])
}

/**
 * A path with something in the place of each parameter.
 * @param standsFor what stands for the parameter of a name; it is put in as it is, so a value is encoded by who gives it
 */
export function filledPath(path: string, standsFor: (name: string) => string): string {
  return path.replaceAll(parameter, (_all, name: string) => standsFor(name))
}
