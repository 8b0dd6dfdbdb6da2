/** What is asked for by the address: the part behind the hash sign, and its parameters. */
export interface Place {
  readonly parts: readonly string[]
  readonly parameters: URLSearchParams
}

/** What a page may do beside showing itself. */
export interface Visit extends Place {
  readonly root: HTMLElement
  /** Given when the visitor leaves the page. */
  readonly signal: AbortSignal
  /** Names the page; the heading gets the focus, so that it is read out. */
  titled(title: string): HTMLHeadingElement
}

/** Shows a page, and resolves when it is shown. */
export type Page = (visit: Visit) => Promise<void>

/** Reads the address of the page: links of mails have `#confirm=` or `#reset=` and a token, all others a path. */
export function placeNow(): Place {
  const [, purpose, token] = /^#(confirm|reset)=(.+)$/.exec(location.hash) ?? []
  if (purpose !== undefined && token !== undefined)
    return { parts: [purpose, token], parameters: new URLSearchParams() }
  const [path = '', query = ''] = location.hash.slice(1).split('?')
  return {
    parts: path
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent),
    parameters: new URLSearchParams(query),
  }
}

/** The address of a page, for links. */
export function addressOf(parts: readonly string[], parameters: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== '')).toString()
  return `#/${parts.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
}

/** Goes to a page, or shows it anew if it is this one. */
export function go(address: string): void {
  if (location.hash === address) dispatchEvent(new HashChangeEvent('hashchange'))
  else location.hash = address
}
