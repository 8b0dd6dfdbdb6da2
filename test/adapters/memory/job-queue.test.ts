import { describe } from 'vitest'
import { memoryJobQueue } from '../../../src/adapters/memory/job-queue.ts'
import { jobQueueContract } from '../../contract/job-queue.ts'
import { manualClock } from '../../manual-clock.ts'

describe('the job queue in memory', () => {
  jobQueueContract(async () => {
    const clock = manualClock()
    const queue = memoryJobQueue({ clock })
    return { queue, now: clock.now, advance: clock.advance, holdsTime: true, dispose: () => queue.close() }
  })
})
