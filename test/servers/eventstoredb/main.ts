import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { runFault } from './fault-request.ts'
import { host } from './listener.ts'
import { startEventStoreServer } from './server.ts'

/**
 * Runs the test server in a process of its own: `node test/servers/eventstoredb/main.ts --port 2113`. It prints one line
 * when it listens: `{"url": "esdb://...", "control": "http://..."}`. Faults come by HTTP to the control address, named as
 * in `Faults` and `EventStoreServer`, with the arguments as a JSON array:
 *
 *     curl -X POST http://127.0.0.1:PORT/freeze -d '[30000]'
 *     curl -X POST http://127.0.0.1:PORT/loseNextAnswers -d '[1, true]'
 *     curl -X POST http://127.0.0.1:PORT/restart
 *
 * The answer is 204, or 400 that says what was wrong. SIGTERM ends it, and SIGSTOP freezes it truly.
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, 'control-port': { type: 'string', default: '0' } },
})
const server = await startEventStoreServer({ port: Number(values.port) })
const control = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    runFault(server, (request.url ?? '').slice(1), Buffer.concat(chunks).toString()).then(
      () => response.writeHead(204).end(),
      (error: unknown) => response.writeHead(400).end(String(error)),
    )
  })
})
control.listen(Number(values['control-port']), host, () => {
  const address = control.address()
  const port = address !== null && typeof address === 'object' ? address.port : 0
  process.stdout.write(`${JSON.stringify({ url: server.url, control: `http://${host}:${port}` })}\n`)
})
process.once('SIGTERM', () => {
  control.close()
  control.closeAllConnections()
  void server.stop()
})
