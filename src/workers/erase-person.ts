import { customer, customerEvents } from '../domain/customer.ts'
import { ask } from '../engine/command.ts'
import { job } from '../engine/job.ts'
import type { KeyVault } from '../engine/key-vault.ts'
import { idOf } from '../engine/streams.ts'

/**
 * Deletes the key of somebody who is to be forgotten, and with it everything that was sealed with it.
 * @param vault where the keys are
 */
export function eraseFromVault(vault: Pick<KeyVault, 'forget'>) {
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
    async run(_state, { target }) {
      await vault.forget(target)
      return [ask(customer, target, 'ConfirmErasure', {})]
    },
  })
}
