import { expect, onTestFinished, test } from 'vitest'
import { memoryCredentialStore } from '../../src/adapters/memory/credential-store.ts'
import { memoryJobQueue } from '../../src/adapters/memory/job-queue.ts'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { customer } from '../../src/domain/customer.ts'
import { ask } from '../../src/engine/command.ts'
import { deadLetter } from '../../src/engine/dead-letter.ts'
import { buildHere, type Definitions, defaultLimits, startEngine } from '../../src/engine/engine.ts'
import { reject } from '../../src/engine/errors.ts'
import { erasePerson } from '../../src/workers/erase-person.ts'
import { handling } from '../engine/handling.ts'
import { manualClock } from '../manual-clock.ts'

test('Nobody can leave somebody unforgotten by discarding what failed: it is retried', async () => {
  const given = handling()
  const clock = manualClock(Date.parse('2026-01-15T09:30:00.000Z'))
  const vault = memoryKeyVault()
  await vault.keyFor('ada')
  let isBroken = true
  const unreliable = {
    async forget(person: string) {
      if (isBroken) throw reject('vault-lost', 'The vault is not there.')
      await vault.forget(person)
    },
  }
  const jobs = [erasePerson(unreliable, memoryCredentialStore())]
  const definitions: Definitions = { aggregates: [customer], projections: [], processes: [], jobs }
  const ports = { ...given, queue: memoryJobQueue({ clock }), vault, clock }
  const engine = await startEngine(definitions, ports, {
    limits: defaultLimits,
    builder: buildHere(definitions, ports),
    works: true,
    onFailure: () => {},
  })
  onTestFinished(() => engine.stop())
  const sent = { actor: { kind: 'staff', id: 'operator' }, correlationId: 'request' } as const
  await engine.handler.handle({ ...ask(customer, 'ada', 'ForgetCustomer', {}), ...sent, id: 'forget' })
  await expect.poll(async () => (await ports.queue.dead(10)).length).toBe(1)
  const letter = await given.store.head().then(({ position }) => given.store.eventAt(position))
  const id = letter?.stream.slice('deadLetter-'.length) ?? ''

  const discard = engine.handler.handle({
    ...ask(deadLetter, id, 'DiscardDeadLetter', { reason: 'Too much work' }),
    ...sent,
    id: 'discard',
  })
  await expect(discard).rejects.toMatchObject({ code: 'dead-letter-must-be-done' })
  isBroken = false
  await engine.handler.handle({ ...ask(deadLetter, id, 'RetryDeadLetter', {}), ...sent, id: 'retry' })
  await expect.poll(async () => (await engine.handler.fold(customer, 'ada')).state.status).toBe('erased')
  expect((await vault.keys(['ada'])).size).toBe(0)
})
