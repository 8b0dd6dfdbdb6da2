import pino from 'pino'
import { z } from 'zod'
import { sandboxServer } from './server.ts'
import { parseSettings } from './settings.ts'

/** The sandbox as a process of its own. It tells its address on standard output and to its parent, and ends with it. */

// Standard output has only the address, for whoever started it; what happens goes to standard error.
const log = pino({ name: 'sandbox' }, pino.destination({ fd: 2, sync: true }))
const FromParent = z.object({ callbackUrl: z.url({ protocol: /^https?$/ }) })

async function main(): Promise<void> {
  // biome-ignore lint/style/noProcessEnv: the sandbox is no part of Daybook's configuration
  const { host, port, callbackUrl, ...settings } = parseSettings(process.env)
  let callbacksTo = callbackUrl
  const server = sandboxServer({
    ...settings,
    behaviour: settings,
    callbackUrl: () => callbacksTo,
    onError: (error) => log.error(error),
  })

  // A parent that takes its own port after it has heard of this one says only then where callbacks go.
  process.on('message', (message) => {
    const parsed = FromParent.safeParse(message)
    if (parsed.success) callbacksTo = parsed.data.callbackUrl
  })
  // All is in memory, so there is nothing to save.
  process.once('disconnect', () => process.exit())
  // What a terminal or a supervisor sends to all processes comes to the parent, too, which finishes what it has begun, and lets go.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      if (process.send === undefined) process.exit()
    })
  }

  const listening: Promise<string> = server.listen({ host, port })
  await listening
  const bound = server.server.address()
  const address = { host, port: typeof bound === 'object' && bound !== null ? bound.port : port }
  process.stdout.write(`${JSON.stringify(address)}\n`)
  process.send?.(address, undefined, undefined, (error) => {
    if (error) process.exit() // the parent went before anybody listened for that
  })
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
