import { expect, test } from 'vitest'
import { z } from 'zod'
import { memoryKeyVault } from '../../src/adapters/memory/key-vault.ts'
import { personal, personalData } from '../../src/engine/personal-data.ts'

const Letter = z.object({ subject: z.string(), to: personal(z.string()).exactOptional() })

test('a person gets a key with the first personal value, not before', async () => {
  const vault = memoryKeyVault()
  const { seal, open } = personalData(vault)
  expect(await seal(Letter, { subject: 'Hello' }, () => 'ada')).toEqual({ subject: 'Hello' })
  expect((await vault.keys(['ada'])).size).toBe(0)
  const sealed = await seal(Letter, { subject: 'Hello', to: 'ada@example.com' }, () => 'ada')
  expect(JSON.stringify(sealed)).not.toContain('ada@example.com')
  expect((await vault.keys(['ada'])).size).toBe(1)
  expect(await open(Letter, [sealed])).toEqual([{ subject: 'Hello', to: 'ada@example.com' }])
})

test('a personal value that is described further is still personal', async () => {
  const { seal } = personalData(memoryKeyVault())
  const Parcel = z.object({ to: personal(z.string()).meta({ description: 'Who gets it' }) })
  const sealed = await seal(Parcel, Parcel.parse({ to: 'ada@example.com' }), () => 'ada')
  expect(JSON.stringify(sealed)).not.toContain('ada@example.com')
})
