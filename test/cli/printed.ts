import { beforeEach, vi } from 'vitest'

/** Keeps what a command prints from the terminal, in each test of a file. @returns what was printed, by line */
export function printedLines(): { readonly printed: readonly string[] } {
  const printed: string[] = []
  beforeEach(() => {
    printed.length = 0
    const logged = vi.spyOn(console, 'log').mockImplementation((text) => printed.push(...String(text).split('\n')))
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const warned = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    return () => {
      logged.mockRestore()
      written.mockRestore()
      warned.mockRestore()
    }
  })
  return { printed }
}
