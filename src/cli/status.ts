import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { System } from '../api/system-operation.ts'
import { type Connection, succeed } from './connection.ts'
import { printTable } from './output.ts'

type Status = z.output<typeof System>

/** What is wrong, and what to do about it. */
interface Problem {
  readonly what: string
  readonly todo: string
}

/** Of the disk. A log that can't grow takes no commands. */
const leastFreeShare = 0.1
/** Work is taken up at once; what waits longer has lost its queue, or nobody works. */
const longestOverdueMs = 300_000
const watchEveryMs = 2_000

function projectionProblems({ projections }: Status): Problem[] {
  return projections.flatMap(({ name, status, error, poison, rebuildFailure }) => {
    if (poison) {
      return [
        {
          what: `The read model ${name} is stopped by ${poison.type} (event ${poison.eventId}).`,
          todo: `Mend its definition and restart, or leave the event out: daybook projections skip ${name}`,
        },
      ]
    }
    if (status === 'stopped') {
      return [
        {
          what: `The read model ${name} is stopped: ${error ?? 'unknown'}`,
          todo: 'It tries again by itself. See the log.',
        },
      ]
    }
    if (rebuildFailure !== undefined) {
      return [
        {
          what: `The last rebuild of ${name} failed: ${rebuildFailure}`,
          todo: `Mend the cause, then: daybook projections rebuild ${name}`,
        },
      ]
    }
    return status === 'building'
      ? [{ what: `The read model ${name} is being built.`, todo: 'Wait: it answers when it is done.' }]
      : []
  })
}

/** What nobody does, by the role of the processes that are missing. */
function unattendedProblems({ unattended = [] }: Status): Problem[] {
  return Array.from(
    Map.groupBy(unattended, ({ role }) => role),
    ([role, duties]) => ({
      what: `No process runs ${duties.map(({ name }) => name).join(', ')}.`,
      todo: `Start one of the role ${role} (daybook serve --role ${role}). Which processes are there: daybook cluster`,
    }),
  )
}

/** @param nowMs milliseconds since the epoch */
function workProblems({ openWork = [], deadLetters, processes = [] }: Status, nowMs: number): Problem[] {
  const late = openWork.filter(
    ({ oldestDueAt }) => oldestDueAt !== undefined && nowMs - Date.parse(oldestDueAt) > longestOverdueMs,
  )
  return [
    ...processes.flatMap(({ name, error }) =>
      error === undefined
        ? []
        : [
            {
              what: `The process ${name} waits: ${error}`,
              todo: 'It tries again by itself. Mend the cause; see the log.',
            },
          ],
    ),
    ...late.map(({ job, overdue }) => ({
      what: `${overdue} × ${job} should have been done by now.`,
      todo: 'See that a worker runs (daybook serve), and the log for why it fails.',
    })),
    ...(deadLetters && deadLetters.count > 0
      ? [
          {
            what: `${deadLetters.isMore ? 'More than ' : ''}${deadLetters.count} set aside: ${deadLetters.items.map(({ name, count }) => `${count} × ${name}`).join(', ')}.`,
            todo: 'Mend the cause, then retry or discard: daybook dead-letters',
          },
        ]
      : []),
  ]
}

/**
 * All that is wrong with a shop.
 * @param nowMs milliseconds since the epoch
 */
export function problemsOf(status: Status, nowMs: number): readonly Problem[] {
  const { degraded, disk, processes = [], unattended = [] } = status
  const named = new Set([...status.projections, ...processes, ...unattended].map(({ name }) => name))
  const advice = new Map([
    ['log', 'See that its disk has room, or that EventStoreDB answers. Commands are answered 503 until then.'],
    ['jobs', 'A newer version of Daybook has written here: stop this one.'],
    ['newer-version', 'A newer version of Daybook has written here: stop this one.'],
  ])
  return [
    ...degraded
      .filter((part) => !named.has(part))
      .map((part) => ({ what: `${part} does not work as it should.`, todo: advice.get(part) ?? 'See the log.' })),
    ...unattendedProblems(status),
    ...projectionProblems(status),
    ...workProblems(status, nowMs),
    ...(disk && disk.freeBytes < disk.totalBytes * leastFreeShare
      ? [
          {
            what: `The disk is nearly full: ${bytes(disk.freeBytes)} left.`,
            todo: 'Make room, or move DAYBOOK_DATA_DIR.',
          },
        ]
      : []),
  ]
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'] as const

function bytes(count: number): string {
  const power = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log10(count) / 3))
  return `${(count / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

function share(hitRatio: number | null): string {
  return hitRatio === null ? '' : `, ${(hitRatio * 100).toFixed(1)} % hits`
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1_000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (hours >= 48) return `${Math.floor(hours / 24)} days`
  if (hours > 0) return `${hours} h ${minutes % 60} min`
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`
}

function progress(rebuild: Status['projections'][number]['rebuild']): string {
  if (!rebuild) return ''
  const { position, head, elapsedMs } = rebuild
  const left = position > 0 ? `, ${duration((elapsedMs * (head - position)) / position)} left` : ''
  return `${head > 0 ? Math.floor((100 * position) / head) : 100} %${left}`
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`\n${title}`)
  printTable(head, rows)
}

function print(status: Status, nowMs: number): void {
  const { log, jobs, commands, waiters, foldCache, documentCache, memory, eventLoop, disk, profile } = status
  const number = (value: number) => value.toLocaleString('en')
  console.log(
    `Daybook ${[`${status.version} is ${status.status}; up ${duration(status.uptimeMs)}`, ...status.roles].join(', ')}`,
  )
  const position = log.number === undefined ? 'does not answer' : `${number(log.number)} ${log.unit}`
  console.log(`Log (${profile.log}): ${position}, ${log.eventsPerSecond.toFixed(1)} events/s appended here`)
  section(
    `Read models (${profile.readModels})`,
    ['read model', 'version', 'status', 'position', `behind (${log.unit})`, 'for', 'events/s', 'rebuild'],
    status.projections.map((each) => [
      each.name,
      String(each.version),
      each.status,
      number(each.position),
      number(each.lag),
      each.lagMs ? duration(each.lagMs) : '',
      (each.eventsPerSecond ?? 0).toFixed(1),
      progress(each.rebuild),
    ]),
  )
  section(
    'Processes',
    ['process', 'position', 'under way', 'oldest for', 'error'],
    (status.processes ?? []).map((each) => [
      each.name,
      number(each.position),
      String(each.underWay),
      each.lagMs > 0 ? duration(each.lagMs) : '',
      each.error ?? '',
    ]),
  )
  section(
    `Work (${profile.jobs}${jobs ? `: ${jobs.waiting} waiting, ${jobs.active} active, ${jobs.delayed} delayed, ${jobs.dead} dead` : ''})`,
    ['job', 'open', 'overdue', 'first due'],
    (status.openWork ?? []).map(({ job, open, overdue, oldestDueAt = '', isMore }) => [
      job,
      isMore ? `${open}+` : String(open),
      String(overdue),
      oldestDueAt,
    ]),
  )
  section(
    status.roles.length === 0 ? 'This command' : 'This process',
    ['what', 'now'],
    [
      ['commands waiting', `${commands.waiting} for ${commands.streams} streams`],
      ...(log.waitingAppends === undefined ? [] : [['appends under way', String(log.waitingAppends)]]),
      ['queries waiting for a position', String(waiters.positions)],
      ['commands waiting for an outcome', String(waiters.outcomes)],
      ['states in memory', `${number(foldCache.entries)} of ${number(foldCache.capacity)}${share(foldCache.hitRatio)}`],
      ...(documentCache
        ? [['documents in memory', `${number(documentCache.entries)}${share(documentCache.hitRatio)}`]]
        : []),
      ['event loop delay, p99', duration(eventLoop.delayP99Ms)],
      ['memory', bytes(memory.rssBytes)],
      ...(disk ? disk.files.map(({ name, bytes: size }) => [`files: ${name}`, bytes(size)]) : []),
      ...(disk ? [['disk free', `${bytes(disk.freeBytes)} of ${bytes(disk.totalBytes)}`]] : []),
    ],
  )
  const problems = problemsOf(status, nowMs)
  console.log(problems.length === 0 ? '\nEverything works as it should.' : '\nTo do')
  for (const { what, todo } of problems) console.log(`- ${what}\n  ${todo}`)
}

export interface StatusOptions {
  /** As the API answers it, for programs. */
  readonly json?: boolean
  /** Again and again, until somebody stops it. */
  readonly watch?: boolean
  /** How long a process of a cluster may be silent: who has just come needs as long to know who is gone. */
  readonly leaseMs?: number
}

/** What this is of, where no server answers for itself. */
function opening({ unattended }: Status): string {
  return unattended === undefined
    ? 'No server runs here: this is the shop as this command has opened it.\n'
    : 'This is the cluster as this command sees it, which runs beside its processes: daybook cluster shows them.\n'
}

/**
 * Shows how a shop does, and what to do where something is wrong.
 * @returns whether all is well
 */
export async function printStatus(connection: Connection, options: StatusOptions): Promise<boolean> {
  const { json, watch, leaseMs = 0 } = options
  const look = async () => System.parse((await succeed(connection.send('GET', '/v1/system'))).body)
  if (!connection.remote && (await look()).unattended !== undefined) await sleep(leaseMs)
  for (;;) {
    const status = await look()
    if (watch && !json && process.stdout.isTTY) console.clear()
    if (json) console.log(JSON.stringify(status))
    else {
      if (!connection.remote) console.log(opening(status))
      print(status, Date.now())
    }
    if (!watch) return problemsOf(status, Date.now()).length === 0
    await sleep(watchEveryMs)
  }
}
