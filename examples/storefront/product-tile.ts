import { element } from './element.ts'

/** A picture of a product, drawn from its name: this shop has no photographs. */
export function picture(id: string, title: string): HTMLElement {
  let hue = 0
  for (const letter of id) hue = (hue * 31 + (letter.codePointAt(0) ?? 0)) % 360
  const drawn = element('span', { class: 'picture', 'aria-hidden': 'true' }, title.slice(0, 1).toUpperCase())
  drawn.style.setProperty('--hue', String(hue))
  return drawn
}
