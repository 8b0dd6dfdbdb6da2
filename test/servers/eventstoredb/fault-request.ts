import { z } from 'zod'
import type { EventStoreServer } from './server.ts'

const Count = z.int().nonnegative()
const How = z.tuple([z.enum(['stopping', 'killed']).optional()])
const Nothing = z.tuple([])

type Fault = (args: unknown) => Promise<void>

/** What each fault takes, and does. */
function faultsOf(server: EventStoreServer) {
  const { faults } = server
  return {
    dropConnections: fault(Nothing, () => faults.dropConnections()),
    refuseConnections: fault(Nothing, () => faults.refuseConnections()),
    acceptConnections: fault(Nothing, () => faults.acceptConnections()),
    delayAnswers: fault(z.tuple([Count]), ([delayMs]) => faults.delayAnswers(delayMs)),
    freeze: fault(z.tuple([Count.optional()]), ([forMs]) => faults.freeze(forMs)),
    thaw: fault(Nothing, () => faults.thaw()),
    loseNextAnswers: fault(z.tuple([Count, z.boolean().optional()]), (args) => faults.loseNextAnswers(...args)),
    repeatNextAnswers: fault(z.tuple([Count]), ([count]) => faults.repeatNextAnswers(count)),
    cutReadsAfter: fault(z.tuple([Count]), ([messages]) => faults.cutReadsAfter(messages)),
    abortSubscriptions: fault(Nothing, () => faults.abortSubscriptions()),
    clear: fault(Nothing, () => faults.clear()),
    goDown: fault(How, ([how]) => server.goDown(how)),
    comeUp: fault(Nothing, () => server.comeUp()),
    restart: fault(How, ([how]) => server.restart(how)),
  }
}

export type FaultName = keyof ReturnType<typeof faultsOf>

/**
 * Does what a message asks for.
 * @param name the name of a fault
 * @param json its arguments, an array; empty for none
 * @throws Error that says what was wrong with the message
 */
export async function runFault(server: EventStoreServer, name: string, json: string): Promise<void> {
  const known = new Map<string, Fault>(Object.entries(faultsOf(server)))
  const run = known.get(name)
  if (!run) throw new Error(`There is no fault ${name}. There are ${[...known.keys()].join(', ')}.`)
  return run(JSON.parse(json || '[]'))
}

function fault<Arguments>(schema: z.ZodType<Arguments>, run: (args: Arguments) => void | Promise<void>): Fault {
  return async (args) => {
    await run(schema.parse(args))
  }
}
