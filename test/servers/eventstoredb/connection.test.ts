import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { gateConnection } from './connection.ts'
import { host } from './listener.ts'

test('a closed gate lets nothing out until it opens', async () => {
  const listener = createServer().listen(0, host)
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('The listener has no port.')
  const peer = connect(address.port, host)
  const [socket] = await once(listener, 'connection')
  const gate = gateConnection(socket, () => 0)
  gate.close()
  gate.stream.end('held')
  // Past the gate, so that the order tells what the gate held.
  await new Promise((resolve) => socket.write('first, ', resolve))
  gate.open()
  expect(await text(peer)).toBe('first, held')
  listener.close()
})
