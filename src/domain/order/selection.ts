/** Pieces of an order's lines as somebody names them; the same line may be named twice. */
type Selection = readonly { readonly lineId: string; readonly quantity: number }[]

/** The pieces of each line, in the order in which the lines are named first. */
export function sumByLine(selection: Selection): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>()
  for (const { lineId, quantity } of selection) quantities.set(lineId, (quantities.get(lineId) ?? 0) + quantity)
  return quantities
}
