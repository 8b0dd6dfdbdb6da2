/**
 * The language whose text is shown to somebody who asked for one: that, the same of another region, English, any.
 * @param texts by language tag
 * @returns undefined only where there is no text at all
 */
export function nearestLanguage(texts: Readonly<Record<string, unknown>>, language: string): string | undefined {
  if (Object.hasOwn(texts, language)) return language
  const [base = language] = language.split('-')
  const sameBase = Object.keys(texts).find((tag) => tag.startsWith(`${base}-`))
  return [base, sameBase, 'en', ...Object.keys(texts)].find(
    (candidate) => candidate !== undefined && Object.hasOwn(texts, candidate),
  )
}

/**
 * The text of a language, or the nearest to it.
 * @param texts by language tag
 * @returns undefined only where there is no text at all
 */
export function inLanguage<T>(texts: Readonly<Record<string, T>>, language: string): T | undefined {
  const nearest = nearestLanguage(texts, language)
  return nearest === undefined ? undefined : texts[nearest]
}
