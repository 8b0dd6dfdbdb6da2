import { expect, test } from 'vitest'
import { z } from 'zod'
import { sandboxMailGateway } from '../../../src/adapters/sandbox/mail-gateway.ts'
import { manualClock } from '../../manual-clock.ts'
import { startSandbox } from './sandbox.ts'

const Messages = z.object({ items: z.array(z.looseObject({ id: z.string() })) })
const mail = (id: string, to = 'ada@example.com') => ({ id, to, subject: 'Hello', text: `This is ${id}.\n` })

test('Mails are shown to whoever asks, the newest first, and each once', async () => {
  const clock = manualClock()
  const { url, get } = await startSandbox({ clock })
  const gateway = sandboxMailGateway({ url, timeoutMs: 5_000 })
  for (const each of [mail('one'), mail('two', 'bob@example.com'), mail('three'), mail('one')]) await gateway.send(each)
  const to = async (query: string) => Messages.parse(await (await get(`/v1/messages${query}`)).json()).items
  expect(await to('?to=ada@example.com')).toEqual(
    [mail('three'), mail('one')].map((each) => ({ ...each, sentAt: '2026-01-01T00:00:00.000Z' })),
  )
  expect((await to('')).map(({ id }) => id)).toEqual(['three', 'two', 'one'])
})

test('No page may look into the mailbox but those that are named', async () => {
  const named = 'http://127.0.0.1:3001'
  const closed = await startSandbox()
  const open = await startSandbox({ pageOrigins: [named] })
  const allowedBy = async ({ url }: typeof open, origin: string) =>
    (await fetch(`${url}/v1/messages`, { headers: { origin } })).headers.get('access-control-allow-origin')
  expect(await allowedBy(closed, named)).toBeNull()
  expect(await allowedBy(open, 'https://evil.example')).toBeNull()
  expect(await allowedBy(open, named)).toBe(named)
})

test('No more than 500 are kept, and what is no mail is refused', async () => {
  const { url, get } = await startSandbox()
  const gateway = sandboxMailGateway({ url, timeoutMs: 5_000 })
  for (let number = 0; number <= 500; number++) await gateway.send(mail(`mail-${number}`))
  const { items } = Messages.parse(await (await get('/v1/messages')).json())
  expect([items.length, items[0]?.id, items.at(-1)?.id]).toEqual([500, 'mail-500', 'mail-1'])
  await expect(gateway.send({ ...mail('long'), text: 'x'.repeat(10_001) })).rejects.toThrow('422')
})
