/** What somebody has chosen, kept over visits. */

export const languages = { en: 'English', de: 'Deutsch', fr: 'Français' } as const
export type Language = keyof typeof languages
export const currencies = ['EUR', 'GBP', 'USD'] as const
export type Currency = (typeof currencies)[number]

function isLanguage(value: string | null | undefined): value is Language {
  return value !== null && value !== undefined && value in languages
}

export function language(): Language {
  const chosen = localStorage.getItem('language')
  if (isLanguage(chosen)) return chosen
  return navigator.languages.map((each) => each.slice(0, 2)).find(isLanguage) ?? 'en'
}

export function currency(): Currency {
  const chosen = localStorage.getItem('currency')
  return currencies.find((each) => each === chosen) ?? 'EUR'
}

export function prefer(name: 'language' | 'currency', value: string): void {
  localStorage.setItem(name, value)
}

/**
 * An amount in words of the language.
 * @param minor in whole minor units of the currency
 */
export function money(minor: number, code: string): string {
  const format = new Intl.NumberFormat(language(), { style: 'currency', currency: code })
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}

/** A time of the day, and the day. */
export function moment(iso: string): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso))
}

/** The name of a country. */
export function countryName(code: string): string {
  return new Intl.DisplayNames([language()], { type: 'region' }).of(code) ?? code
}
