import { registerCustomer } from '../commands/customers.ts'
import { type Customer, customer, customerCommands, customerEvents } from '../domain/customer.ts'
import { claim, claimId } from '../engine/claim.ts'
import type { Claims } from '../engine/claims.ts'
import type { CommandHandler } from '../engine/command-handler.ts'
import type { PersonalData } from '../engine/personal-data.ts'
import { derivedId, idOf } from '../engine/streams.ts'

/** The customers whom accounts belong to, as the log knows them. */
export interface Customers {
  /** Registers a customer, if that was not done. @throws Rejection when the address is another customer's */
  register(id: string, profile: Profile, correlationId: string): Promise<void>
  /** The registered customer who has an e-mail address. */
  withAddress(email: string): Promise<string | undefined>
  isRegistered(id: string): Promise<boolean>
  /** What they have registered with; undefined for who never has, or was forgotten. */
  profile(id: string): Promise<Profile | undefined>
}

export interface Profile {
  readonly email: string
  readonly name: string
}

export interface CustomerOptions {
  readonly handler: Pick<CommandHandler, 'handle' | 'fold'>
  readonly personal: PersonalData
  readonly claims: Claims
  /** Of the hash that names the stream of a unique value. */
  readonly claimSecret: Uint8Array
}

const Registered = customerEvents.schemas.CustomerRegistered

function isRegistered({ status }: Customer): boolean {
  return status === 'registered'
}

export function customers({ handler, personal, claims, claimSecret }: CustomerOptions): Customers {
  const stateOf = async (id: string) => (await handler.fold(customer, id)).state

  return {
    async register(id, { email, name }, correlationId) {
      const data = customerCommands.RegisterCustomer.parse({ email, name })
      const command = {
        decider: customer,
        target: id,
        type: 'RegisterCustomer',
        data: await personal.seal(customerCommands.RegisterCustomer, data, () => id),
        id: derivedId('register-account', id),
        actor: { kind: 'customer' as const, id },
        correlationId,
      }
      const unique = registerCustomer.claims(data)
      await claims.holding(unique, command, () => handler.handle(command), registerCustomer.holds)
    },

    async withAddress(email) {
      const [unique] = registerCustomer.claims({ email })
      if (unique === undefined) return undefined
      const { owner } = (await handler.fold(claim, claimId(claimSecret, unique.noun, unique.value))).state
      const id = owner === undefined ? undefined : idOf(owner)
      return id !== undefined && isRegistered(await stateOf(id)) ? id : undefined
    },

    isRegistered: async (id) => isRegistered(await stateOf(id)),

    async profile(id) {
      const { registration } = await stateOf(id)
      if (registration === undefined) return undefined
      const [opened] = await personal.open(Registered, [registration])
      const { email, name } = Registered.parse(opened)
      return email === null || name === null ? undefined : { email, name }
    },
  }
}
