import { join } from 'node:path'
import { benchmark } from './benchmark.ts'
import { Seconds, startEngineProcess } from './engine-job.ts'

const events = 1_000_000
const open = 1_000

export const longStream = benchmark({
  name: 'long-stream',
  title: `A stock item of ${events.toLocaleString('en-GB')} events and ${open.toLocaleString('en-GB')} open reservations, made through the handler: a reservation, durable, as the first command after a start of the engine with its read models`,
  figures: [{ name: 'first command', unit: 'ms', goal: { of: 'figure', is: 'at most', value: 20 } }],
  async prepare({ directory, progress, profileDirectory }) {
    const data = join(directory, 'store')
    const maker = await startEngineProcess(data, { readModels: false })
    progress(`makes ${events.toLocaleString('en-GB')} events of one stock item`)
    const { seconds } = await maker.ask(Seconds, { kind: 'turn-over', events, open })
    progress(`made them in ${Math.round(seconds)} s`)
    await maker.stop()
    const builder = await startEngineProcess(data, { readModels: true })
    await builder.stop()
    return {
      async round() {
        const engine = await startEngineProcess(data, { readModels: true, profileDirectory })
        try {
          const { seconds } = await engine.ask(Seconds, { kind: 'reserve-one' })
          return { 'first command': seconds * 1_000 }
        } finally {
          await engine.stop()
        }
      },
    }
  },
})
