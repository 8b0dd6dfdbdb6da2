import { EventEmitter } from 'node:events'
import { describe } from 'vitest'
import { memorySignal } from '../../../src/adapters/memory/signal.ts'
import { signalContract } from '../../contract/signal.ts'

describe('the signal in memory', () => {
  signalContract(async () => {
    const emitter = new EventEmitter()
    return { open: async () => memorySignal(emitter), dispose: async () => {} }
  })
})
