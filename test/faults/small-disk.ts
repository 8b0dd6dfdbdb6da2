import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { ownDirectory } from './real-shop.ts'

/** A file system of its own, which is in memory and so small that it can be filled. */
export interface SmallDisk {
  readonly directory: string
  /** Leaves no room. */
  fill(): void
  makeRoom(): void
  /** Nothing can be written any more; only while nobody has a file open to write. */
  makeReadOnly(): void
}

/** Mounting takes root, or leave to become it without a password. */
const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']

function run(...[command = '', ...args]: readonly string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args)
  return status === 0 ? undefined : (error?.message ?? stderr.toString().trim())
}

function mount(directory: string, options: string): string | undefined {
  return run(...asRoot, 'mount', '-t', 'tmpfs', '-o', `${options},mode=777`, 'tmpfs', directory)
}

function unmount(directory: string): void {
  run(...asRoot, 'umount', directory)
}

/** Why no file system can be mounted on this machine; undefined where it can. */
export function whyNotMounted(directory: string): string | undefined {
  const failure = mount(directory, 'size=1m')
  if (failure === undefined) unmount(directory)
  return failure && `no file system can be mounted here: ${failure}`
}

/** Mounts a file system that lives as long as the test. */
export function smallDisk(bytes: number): SmallDisk {
  const mounted = ownDirectory()
  const failure = mount(mounted, `size=${bytes}`)
  if (failure !== undefined) throw new Error(failure)
  onTestFinished(() => unmount(mounted))
  const directory = join(mounted, 'data')
  mkdirSync(directory)
  const filler = join(mounted, 'filler')
  return {
    directory,
    fill() {
      try {
        for (;;) appendFileSync(filler, Buffer.alloc(4_096))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    },
    makeRoom: () => rmSync(filler, { force: true }),
    makeReadOnly() {
      const refused = run(...asRoot, 'mount', '-o', 'remount,ro', mounted)
      if (refused !== undefined) throw new Error(refused)
    },
  }
}
