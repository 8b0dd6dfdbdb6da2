type Child = Node | string | undefined | readonly Child[]

interface Attributes {
  readonly class?: string
  readonly on?: Readonly<Record<string, (event: Event) => void>>
  readonly [name: string]: unknown
}

function append(parent: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === undefined) continue
    if (typeof child === 'string' || child instanceof Node) parent.append(child)
    else append(parent, child)
  }
}

/**
 * Makes an element: text stays text.
 * @param attributes by their names in HTML; `true` is an empty one, `false` and undefined none; `on` has listeners
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag)
  const { on = {}, ...rest } = attributes
  for (const [name, value] of Object.entries(rest)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  for (const [type, listener] of Object.entries(on)) made.addEventListener(type, listener)
  append(made, children)
  return made
}

/** An element of the page by its id. @throws Error where there is none */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`The page has no #${id}`)
  return found
}

/** Tells people who do not see it what has happened. */
export function announce(text: string): void {
  byId('status').textContent = text
}

/** The text of a field of a form that was sent. */
export function fieldOf(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name)
  return typeof value === 'string' ? value.trim() : ''
}
