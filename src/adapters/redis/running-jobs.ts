import type { Redis } from 'ioredis'

/**
 * Marks on jobs that were cancelled while they run. BullMQ can't remove a job that runs, and takes no other under its id; so
 * whoever runs it looks for the mark at its end, where a job may be waiting that was scheduled anew meanwhile.
 */

export interface MarkedJob {
  /** The key of BullMQ's job. */
  readonly job: string
  /** The key of its mark. */
  readonly mark: string
}

/** Nobody's run takes so long; a mark that a crash left behind ends then. */
const markLifetimeSeconds = 86_400

// A job that runs has a lock.
const markScript = `
local free = {}
for i = 1, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    if redis.call('EXISTS', KEYS[i] .. ':lock') == 1 then
      redis.call('SET', KEYS[i + 1], '', 'EX', ARGV[1])
    else
      free[#free + 1] = (i - 1) / 2
    end
  end
end
return free`

// A mark without a job was left behind: the run ended, and died before it looked.
const appendScript = `
local free = {}
for i = 1, #KEYS, 2 do
  local isMarked = redis.call('EXISTS', KEYS[i + 1]) == 1
  if isMarked and redis.call('EXISTS', KEYS[i]) == 1 then
    redis.call('SET', KEYS[i + 1], ARGV[(i + 1) / 2 + 1], 'EX', ARGV[1])
  else
    if isMarked then redis.call('DEL', KEYS[i + 1]) end
    free[#free + 1] = (i - 1) / 2
  end
end
return free`

async function free<J extends MarkedJob>(
  client: Redis,
  script: string,
  jobs: readonly J[],
  values: readonly string[],
): Promise<readonly J[]> {
  if (jobs.length === 0) return []
  const keys = jobs.flatMap(({ job, mark }) => [job, mark])
  const found = await client.eval(script, keys.length, ...keys, markLifetimeSeconds, ...values)
  const numbers = new Set(Array.isArray(found) ? found.map(Number) : [])
  return jobs.filter((_, number) => numbers.has(number))
}

/**
 * Marks those that run.
 * @returns those that wait or are dead, and can be removed
 */
export function markRunning<J extends MarkedJob>(client: Redis, jobs: readonly J[]): Promise<readonly J[]> {
  return free(client, markScript, jobs, [])
}

/**
 * Leaves behind those that run, and were cancelled, what is to be scheduled when they have ended.
 * @param jobs each with its value
 * @returns the others, which can be scheduled now
 */
export function appendToCancelled<J extends MarkedJob & { readonly value: string }>(
  client: Redis,
  jobs: readonly J[],
): Promise<readonly J[]> {
  return free(
    client,
    appendScript,
    jobs,
    jobs.map(({ value }) => value),
  )
}
