import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'

/** What strace saw: the system calls of a server, in the order in which they began and ended. */

/** A system call; begin and end are places in the order of everything that was seen. */
export interface SystemCall {
  readonly name: string
  /** As strace prints them: file descriptors with what they are of, the beginnings of what was read or written. */
  readonly args: string
  /** As strace prints it, such as `0` or `-1 ENOSPC (...)`. */
  readonly result: string
  readonly begin: number
  readonly end: number
}

/** Why nothing can be traced on this machine; undefined where it can. */
export function whyNotTraced(): string | undefined {
  const { error, status, stderr } = spawnSync('strace', ['-f', '--seccomp-bpf', '-e', 'trace=fsync', 'true'])
  if (error !== undefined) return 'strace is not installed'
  return status === 0 ? undefined : `strace may not trace here: ${stderr.toString().trim().split('\n').at(-1)}`
}

/** All threads are followed, and nothing costs the server anything but the calls that are asked for. */
export function straceOf(file: string, calls: readonly string[], ...options: readonly string[]): readonly string[] {
  return [
    'strace',
    '-f',
    '--seccomp-bpf',
    '-y',
    '-e',
    `trace=${calls.join(',')}`,
    '-e',
    'signal=none',
    ...options,
    '-o',
    file,
  ]
}

/** How strace is told to let calls last longer. */
export function delayed(calls: readonly string[], delayMs: number): readonly string[] {
  return ['-e', `inject=${calls.join(',')}:delay_exit=${delayMs * 1_000}`]
}

/** Why nobody who runs already can be traced; undefined where strace can. */
export function whyNotAttached(): string | undefined {
  const { error, status, stderr } = spawnSync('sh', [
    '-c',
    // The shell's sibling, as a server is of a strace that is started later.
    'sleep 60 & timeout 1 strace -p $!; status=$?; kill $!; [ $status = 124 ]',
  ])
  if (error !== undefined) return error.message
  return status === 0 ? undefined : `strace may not attach here: ${stderr.toString().trim().split('\n').at(-1)}`
}

/**
 * Lets system calls of a process that runs fail from now on.
 * @param error such as `EROFS`
 * @returns what lets them succeed again
 */
export async function failing(
  processId: number,
  calls: readonly string[],
  error: string,
): Promise<() => Promise<void>> {
  const names = calls.join(',')
  const options = [
    '-e',
    `trace=${names}`,
    '-e',
    `inject=${names}:error=${error}`,
    '-e',
    'signal=none',
    '-o',
    '/dev/null',
  ]
  const strace = spawn('strace', ['-f', ...options, '-p', String(processId)], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(strace, 'close')
  async function stop(): Promise<void> {
    strace.kill('SIGINT') // detaches
    await ended
  }
  onTestFinished(stop)
  let told = ''
  for await (const text of strace.stderr.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    told += text
    if (told.includes('attached')) return stop
  }
  throw new Error(`strace could not attach: ${told}`)
}

const line = /^(?<thread>\d+) +(?<rest>.*)$/
const resumed = /^<\.\.\. (?<name>\w+) resumed>(?<rest>.*)$/
const unfinished = /^(?<name>\w+)\((?<args>.*?) ?<unfinished \.\.\.>$/
const whole = /^(?<name>\w+)\((?<args>.*)\) += (?<result>.*)$/
const ending = /^(?<args>.*)\) += (?<result>.*)$/

/** Reads what strace wrote with `-f`. */
export function systemCalls(file: string): readonly SystemCall[] {
  const open = new Map<string, { name: string; args: string; begin: number }>()
  const calls: SystemCall[] = []
  for (const [place, text] of readFileSync(file, 'latin1').split('\n').entries()) {
    const { thread = '', rest = '' } = line.exec(text)?.groups ?? {}
    const begun = unfinished.exec(rest)?.groups
    if (begun) {
      open.set(thread, { name: begun.name ?? '', args: begun.args ?? '', begin: place })
      continue
    }
    const continued = resumed.exec(rest)?.groups
    const before = continued && open.get(thread)
    const {
      name = before?.name,
      args = '',
      result,
    } = (before ? ending.exec(continued?.rest ?? '') : whole.exec(rest))?.groups ?? {}
    if (before) open.delete(thread)
    if (name === undefined || result === undefined) continue
    calls.push({ name, args: (before?.args ?? '') + args, result, begin: before?.begin ?? place, end: place })
  }
  return calls
}
