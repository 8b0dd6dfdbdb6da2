import { z } from 'zod'

/** The words that all aggregates share. Every string, number and list has a bound. */

export const Id = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.~-]{0,99}$/)
  .meta({ description: 'Identifier', example: '0198f0c2-6d1e-7a34-9b0e-3f2c1d5a7b88' })

export const Sku = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.~-]{0,63}$/)
  .meta({ description: 'Stock keeping unit: names one variant of a product; case counts', example: 'TEAPOT-BLUE' })

export const Slug = z
  .string()
  .max(100)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .meta({ description: 'Readable name for addresses of pages, unique in the shop', example: 'blue-teapot' })

const currencies = new Set(Intl.supportedValuesOf('currency'))
export const Currency = z
  .string()
  .refine((code) => currencies.has(code), 'is no ISO 4217 currency code, such as EUR')
  .meta({ description: 'ISO 4217 currency code', example: 'EUR' })

export const Country = z
  .string()
  .regex(/^[A-Z]{2}$/)
  .meta({ description: 'ISO 3166-1 alpha-2 country code; ZZ where it is unknown', example: 'DE' })

export const Language = z
  .string()
  .regex(/^[a-z]{2}(-[A-Z]{2})?$/)
  .meta({ description: 'Language tag (BCP 47)', example: 'en' })

export const Amount = z
  .int()
  .min(0)
  .max(1_000_000_000_000)
  .meta({ description: 'Whole minor units of the currency, such as cents', example: 1999 })

export const Quantity = z.int().min(1).max(1_000_000).meta({ description: 'Number of pieces', example: 2 })

/** Tax in parts of ten thousand, so that 19 % and 5.5 % are exact. */
export const TaxRate = z
  .int()
  .min(0)
  .max(10_000)
  .meta({ description: 'Tax rate in hundredths of a percent', example: 1900 })

export const TaxCategory = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,29}$/)
  .meta({ description: 'Group of goods that are taxed alike', example: 'standard' })

export const Timestamp = z.iso
  .datetime({ precision: 3 })
  .meta({ description: 'UTC time, ISO 8601', example: '2026-01-15T09:30:00.000Z' })

export const Title = z.string().trim().min(1).max(200).meta({ description: 'Short text', example: 'Blue teapot' })

export const Reference = z.string().trim().min(1).max(100).meta({
  description: 'Business reference by which a repeated movement is known, such as a delivery note',
  example: 'DN-2026-0042',
})

export const Reason = z
  .string()
  .trim()
  .min(1)
  .max(300)
  .meta({ description: 'Why, for people', example: 'Ordered the wrong size' })

export const Attributes = z
  .record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9_.-]{0,49}$/), z.union([z.string().max(500), z.number(), z.boolean()]))
  .refine((attributes) => Object.keys(attributes).length <= 50, 'has more than 50 entries')
  .meta({ description: "The shop's own values, at most 50", example: { material: 'porcelain' } })

/** One text in several languages. */
export const LocalTitles = z
  .record(Language, Title)
  .refine((titles) => Object.keys(titles).length >= 1 && Object.keys(titles).length <= 20, 'needs 1 to 20 languages')
  .meta({ description: 'Text by language', example: { en: 'Teapots', de: 'Teekannen' } })

export const Prices = z
  .record(Currency, Amount)
  .refine((prices) => Object.keys(prices).length >= 1 && Object.keys(prices).length <= 30, 'needs 1 to 30 currencies')
  .meta({
    description: 'Price of one piece by currency, in minor units, tax included',
    example: { EUR: 2499, GBP: 2199 },
  })

export const EmailAddress = z.email().max(254).meta({ description: 'E-mail address', example: 'ada@example.com' })

const AddressLine = z.string().trim().min(1).max(200)

/** A postal address without its country, which stands beside it: the country alone is not personal. */
export const Address = z
  .strictObject({
    name: AddressLine.meta({ description: 'Who receives it', example: 'Ada Lovelace' }),
    line1: AddressLine.meta({ description: 'Street and number', example: '12 St James Square' }),
    line2: AddressLine.exactOptional().meta({ description: 'Second line', example: 'Second floor' }),
    city: AddressLine.meta({ description: 'City', example: 'London' }),
    region: AddressLine.exactOptional().meta({ description: 'State or province', example: 'Greater London' }),
    postalCode: z.string().trim().min(1).max(20).meta({ description: 'Postal code', example: 'SW1Y 4JH' }),
    phone: z
      .string()
      .trim()
      .min(3)
      .max(30)
      .exactOptional()
      .meta({ description: 'Telephone number', example: '+44 20 7946 0000' }),
  })
  .meta({
    description: 'Postal address',
    example: { name: 'Ada Lovelace', line1: '12 St James Square', city: 'London', postalCode: 'SW1Y 4JH' },
  })

/** Who buys: a member with an account, or a guest known by a token alone. */
export const Buyer = z
  .enum(['member', 'guest'])
  .meta({ description: 'Whether the customer has an account', example: 'guest' })
