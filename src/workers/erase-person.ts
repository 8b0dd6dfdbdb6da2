import { customer, customerEvents } from '../domain/customer.ts'
import { ask } from '../engine/command.ts'
import type { CredentialStore } from '../engine/credential-store.ts'
import { job } from '../engine/job.ts'
import type { KeyVault } from '../engine/key-vault.ts'
import { idOf } from '../engine/streams.ts'

/**
 * Deletes the key of somebody who is to be forgotten, and with it everything that was sealed with it; and their account. So it
 * does with the keys of the guests that they were.
 * Nobody can discard it: somebody would stay known who is told to be forgotten.
 * @param vault where the keys are
 * @param credentials where accounts and sessions are
 */
export function erasePerson(vault: Pick<KeyVault, 'forget'>, credentials: Pick<CredentialStore, 'forget'>) {
  return job({
    name: 'erase-person',
    of: customer,
    from: [customerEvents],
    opens: {
      CustomerForgotten: ({ stream, metadata }) => ({ target: idOf(stream), key: '', dueAt: metadata.recordedAt }),
    },
    settles: {
      PersonalDataErased: ({ stream }) => ({ target: idOf(stream), key: '' }),
    },
    isOpen: ({ status }) => status === 'forgotten',
    mustBeDone: true,
    async run({ guests = [] }, { target }) {
      await credentials.forget(target)
      for (const person of [target, ...guests]) await vault.forget(person)
      // A guest whose key is gone can buy nothing any more, and is told so.
      const forgets = guests.map((guest) => ask(customer, guest, 'ForgetCustomer', {}))
      return [...forgets, ask(customer, target, 'ConfirmErasure', {})]
    },
  })
}
