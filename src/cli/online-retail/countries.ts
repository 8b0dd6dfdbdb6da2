/** The countries of the data set as codes. Each name has a code of its own, so that figures by country stay comparable. */

/** Names that ISO 3166-1 does not have, or has otherwise. */
const otherNames: Readonly<Record<string, string>> = {
  'Channel Islands': 'JE', // Jersey and Guernsey have codes of their own; most of the islanders live on Jersey
  'Czech Republic': 'CZ',
  EIRE: 'IE',
  'European Community': 'EU', // exceptionally reserved
  'Hong Kong': 'HK',
  Korea: 'KR',
  RSA: 'ZA',
  USA: 'US',
  Unspecified: 'ZZ',
  'West Indies': 'XW', // for users to assign
}

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ')

/** False for what is another way to write a code, such as UK for GB. */
function isCurrent(code: string): boolean {
  return new Intl.Locale(`und-${code}`).maximize().region === code
}

function countriesByName(): ReadonlyMap<string, string> {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })
  const known = letters
    .flatMap((first) => letters.map((second) => first + second))
    .flatMap((code): [string, string][] => {
      const name = names.of(code)
      return name === undefined || !isCurrent(code) ? [] : [[name, code]]
    })
  return new Map([...known, ...Object.entries(otherNames)])
}

const byName = countriesByName()

/** The ISO 3166-1 code of a country as the data set names it; undefined for a name that is unknown. */
export function countryCode(name: string): string | undefined {
  return byName.get(name)
}
