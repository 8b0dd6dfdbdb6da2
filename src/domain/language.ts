/**
 * The text of a language, or the nearest to it: the same language of another region, English, any.
 * @param texts by language tag
 * @returns undefined only where there is no text at all
 */
export function inLanguage<T>(texts: Readonly<Record<string, T>>, language: string): T | undefined {
  const [base = language] = language.split('-')
  const sameBase = Object.keys(texts).find((tag) => tag.startsWith(`${base}-`))
  const [tag] = [language, base, sameBase, 'en', ...Object.keys(texts)].filter(
    (candidate) => candidate !== undefined && Object.hasOwn(texts, candidate),
  )
  return tag === undefined ? undefined : texts[tag]
}
