import { describe } from 'vitest'
import { jobQueueContract } from '../../contract/job-queue.ts'
import { redisJobQueueHarness } from './job-queue-harness.ts'
import { redisUrl, withoutRedis } from './redis.ts'

const skipped = redisUrl === undefined

describe.skipIf(skipped)(`the job queue in Redis${skipped ? ` (${withoutRedis})` : ''}`, { timeout: 60_000 }, () => {
  jobQueueContract(redisJobQueueHarness)
})
