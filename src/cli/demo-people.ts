import { demoCities, demoCountries } from './demo-countries.ts'
import type { DemoRequest } from './demo-request.ts'
import { random } from './random.ts'

/** Who buys in the demo shop: made up, with addresses that reach nobody. */

export interface DemoPerson {
  readonly customerId: string
  readonly buyer: 'member' | 'guest'
  readonly name: string
  readonly email: string
  readonly country: string
  readonly address: {
    readonly name: string
    readonly line1: string
    readonly city: string
    readonly postalCode: string
  }
}

const firstNames = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Margaret',
  'Niklaus',
  'Radia',
  'Leslie',
  'Frances',
  'Tony',
  'Katherine',
  'Dennis',
  'Hedy',
  'Ken',
] as const
const lastNames = [
  'Weaver',
  'Miller',
  'Baker',
  'Fischer',
  'Martin',
  'Dubois',
  'Keller',
  'Smith',
  'Jansen',
  'Moreau',
  'Brandt',
  'Carter',
] as const

const memberCount = 60
const guestCount = 60
const streets = ['Canal Street', 'Mill Lane', 'Station Road', 'Garden Row'] as const

/** How many of the people live in each country. */
const shares: Readonly<Record<(typeof demoCountries)[number], number>> = { DE: 6, FR: 3, GB: 4, US: 3, AT: 2, NL: 2 }

/** Each name once. */
function names(): readonly (readonly [first: string, last: string])[] {
  const count = firstNames.length * lastNames.length
  return Array.from({ length: Math.min(count, memberCount + guestCount) }, (_, place) => {
    // 7 has no divisor in common with the number of names, so it meets each of them once.
    const chosen = (place * 7) % count
    const first = firstNames[chosen % firstNames.length] ?? ''
    const last = lastNames[Math.floor(chosen / firstNames.length)] ?? ''
    return [first, last]
  })
}

function people(): readonly DemoPerson[] {
  const { weighted, pick, between } = random(1_494)
  return names().map(([first, last], place) => {
    const country = weighted(demoCountries, (each) => shares[each])
    const [city, postalCode] = demoCities[country]
    const isMember = place < memberCount
    const number = String(isMember ? place + 1 : place + 1 - memberCount).padStart(2, '0')
    const name = `${first} ${last}`
    return {
      customerId: `demo-${isMember ? 'customer' : 'guest'}-${number}`,
      buyer: isMember ? 'member' : 'guest',
      name,
      email: `${first}.${last}@example.com`.toLowerCase(),
      country,
      address: { name, line1: `${between(1, 120)} ${pick(streets)}`, city, postalCode },
    }
  })
}

export const demoPeople = people()

/** Members are registered, and then have an address. */
export function memberRequests(occurredAt: string): readonly (readonly DemoRequest[])[] {
  const members = demoPeople.filter(({ buyer }) => buyer === 'member')
  return [
    members.map(({ customerId, email, name }) => ({
      method: 'POST',
      path: '/v1/customers',
      body: { id: customerId, email, name },
      key: `demo/customer/${customerId}`,
      occurredAt,
    })),
    members.map(({ customerId, country, address }) => ({
      method: 'POST',
      path: `/v1/customers/${customerId}/addresses`,
      body: { addressId: 'home', country, address },
      key: 'demo/address',
      occurredAt,
    })),
  ]
}
