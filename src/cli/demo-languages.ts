/** What the texts of the demo shop are in. */
export const demoLanguages = ['en', 'de', 'fr'] as const

/** One for each of the languages. */
export type Texts = readonly [en: string, de: string, fr: string]
