import { describe } from 'vitest'
import { memoryCoordination } from '../../../src/adapters/memory/coordination.ts'
import { coordinationContract } from '../../contract/coordination.ts'

describe('coordination in memory', () => {
  coordinationContract(async () => {
    const cluster = memoryCoordination()
    return { members: [cluster, cluster], dispose: () => cluster.close() }
  })
})
