import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { type Principal, staff } from '../engine/access.ts'
import { localAdminId } from './authentication.ts'
import { type Operation, operation } from './operation-route.ts'
import { problem } from './problems.ts'

const Directory = z
  .string()
  .max(4_000)
  .refine(isAbsolute, 'must be the whole path of a directory')
  .meta({ description: 'Directory on the disk of the server', example: '/var/backups/daybook/2026-01-31' })

const Status = z
  .object({
    state: z.enum(['none', 'running', 'done', 'stopped', 'failed']).meta({
      description: '`none`: since the server started nobody has asked for one',
      example: 'running',
    }),
    directory: z
      .string()
      .exactOptional()
      .meta({ description: 'Where it is', example: '/var/backups/daybook/2026-01-31' }),
    progress: z
      .object({
        step: z.enum(['copy', 'verify']).meta({ description: 'What is done now', example: 'copy' }),
        done: z.number().min(0).meta({ description: 'Bytes copied, or positions verified', example: 52_428_800 }),
        total: z.number().min(0).meta({ description: 'Of so many', example: 104_857_600 }),
      })
      .exactOptional()
      .meta({ description: 'How far it is' }),
    taken: z
      .object({
        position: z.int().min(0).meta({ description: 'Place of the last event in it', example: 90_000 }),
        events: z.int().min(0).meta({ description: 'How many events it has', example: 90_000 }),
        bytes: z.int().min(0).meta({ description: 'Size of its files', example: 104_857_600 }),
        lostKeys: z
          .object({
            persons: z.int().min(0).meta({ description: 'How many persons', example: 0 }),
            isMore: z.boolean().meta({ description: 'Whether there are more than were counted', example: false }),
            first: z.array(z.string()).max(10).meta({ description: 'The first of them', example: [] }),
          })
          .exactOptional()
          .meta({
            description:
              "Persons whose data it has without a key, though they were not forgotten; left out where that is not known: an extension can't be loaded, or the vault is an older version's",
          }),
      })
      .exactOptional()
      .meta({ description: 'What it has' }),
    error: z.string().exactOptional().meta({ description: 'Why it failed', example: 'database or disk is full' }),
  })
  .meta({ description: 'The latest backup that was asked for' })

export type BackupStatus = z.output<typeof Status>

/** Takes backups of what the server keeps in files, one at a time. */
export interface Backups {
  /**
   * Begins one in the background; what becomes of it is in the status.
   * @param directory its whole path; not there yet, or empty
   */
  begin(directory: string): void
  status(): BackupStatus
  /** Stops the one that is under way, which leaves nothing behind. */
  stop(): void
}

/** A path is of the server's disk, so that only who is on that machine may name one. */
function assertLocal({ id }: Principal): void {
  if (id === localAdminId) return
  throw problem(403, 'local-only', 'Backups are taken on the machine of the server: run `daybook backup` there.')
}

/**
 * Backups of a server that runs.
 * @param backups undefined where the log or the keys are on servers of their own
 */
export function backupOperations(backups: Backups | undefined): readonly Operation[] {
  function available(): Backups {
    if (backups) return backups
    throw problem(
      409,
      'backup-elsewhere',
      'The log and the keys are on servers of their own, which have tools for that: see docs/operations.md.',
    )
  }
  const who = staff('system')
  const parameters = z.object({})
  return [
    operation({
      name: 'showBackup',
      method: 'GET',
      path: '/v1/backup',
      summary: 'See how far the latest backup is',
      who,
      parameters,
      result: Status,
      status: 200,
      run: async () => available().status(),
    }),
    operation({
      name: 'takeBackup',
      method: 'POST',
      path: '/v1/backup',
      summary: 'Take a backup of the running shop',
      description:
        'In the background: what had happened when it began is in it. Only on the machine of the server, with the token that it leaves there; `daybook backup` does that.',
      who,
      parameters,
      body: z.object({ directory: Directory }),
      status: 202,
      run: async ({ body: { directory }, principal }) => {
        assertLocal(principal)
        const { state, directory: other } = available().status()
        if (state === 'running')
          throw problem(409, 'backup-under-way', `A backup to ${other} is under way. Wait for it, or stop it.`)
        available().begin(directory)
      },
    }),
    operation({
      name: 'stopBackup',
      method: 'DELETE',
      path: '/v1/backup',
      summary: 'Stop the backup that is under way',
      description: 'Nothing is left of it. Where none is under way, nothing happens.',
      who,
      parameters,
      status: 204,
      run: async ({ principal }) => {
        assertLocal(principal)
        available().stop()
      },
    }),
  ]
}
