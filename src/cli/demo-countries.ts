/** Where the demo shop sells to, with what that takes: this is data. */

export const demoCountries = ['DE', 'FR', 'GB', 'US', 'AT', 'NL'] as const

/** Tax rates by country, in hundredths of a percent. */
export const demoTaxRates: readonly (readonly [
  country: (typeof demoCountries)[number],
  standard: number,
  reduced: number,
])[] = [
  ['DE', 1900, 700],
  ['AT', 2000, 1000],
  ['FR', 2000, 550],
  ['NL', 2100, 900],
  ['GB', 2000, 0],
  ['US', 0, 0],
]

export const demoCities: Readonly<Record<(typeof demoCountries)[number], readonly [city: string, postalCode: string]>> =
  {
    DE: ['Hamburg', '20095'],
    AT: ['Graz', '8010'],
    FR: ['Lyon', '69001'],
    NL: ['Utrecht', '3511'],
    GB: ['Leeds', 'LS1 4DY'],
    US: ['Portland', '97201'],
  }
