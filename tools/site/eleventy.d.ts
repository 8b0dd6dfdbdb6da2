/** What is used here of Eleventy and markdown-it, which bring no types. */
declare module '@11ty/eleventy' {
  export interface Token {
    readonly type: string
    readonly content: string
    readonly children: readonly Token[] | null
    attrGet(name: string): string | null
    attrSet(name: string, value: string): void
  }

  export interface MarkdownIt {
    readonly core: {
      readonly ruler: {
        push(
          name: string,
          rule: (state: { readonly tokens: readonly Token[]; readonly env: { readonly page: Page } }) => void,
        ): void
      }
    }
  }

  export interface Page {
    /** From the working directory. */
    readonly inputPath: string
    /** Within the input directory, without its ending. */
    readonly filePathStem: string
  }

  export interface Configuration {
    addGlobalData(name: string, value: unknown): void
    addPassthroughCopy(files: Readonly<Record<string, string>>): void
    amendLibrary(name: 'md', amend: (library: MarkdownIt) => void): void
    on(event: 'eleventy.before' | 'eleventy.after', listener: () => void): void
    setIncludesDirectory(path: string): void
    setTemplateFormats(formats: readonly string[]): void
    setUseGitIgnore(uses: boolean): void
  }

  class Eleventy {
    constructor(
      input: string,
      output: string,
      options: { readonly quietMode: boolean; readonly configPath: null; config(configuration: Configuration): void },
    )
    write(): Promise<unknown>
    init(): Promise<void>
    watch(): Promise<void>
    serve(port: number): Promise<void>
  }

  // biome-ignore lint/style/noDefaultExport: that is how it exports it
  export { Eleventy as default }
}
