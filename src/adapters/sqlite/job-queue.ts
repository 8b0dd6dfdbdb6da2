import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Clock } from '../../engine/clock.ts'
import type { Job, JobQueue } from '../../engine/job-queue.ts'
import { type JobTable, type TableJobQueueOptions, tableJobQueue } from '../../engine/table-job-queue.ts'
import { commit, inOpenTransaction, number, openReplaceable, preparedStatements, text } from './database.ts'

export interface SqliteJobQueueOptions extends TableJobQueueOptions {
  readonly file: string
}

// `due_at` is the time that the job was made for, `next_at` that of its next try. A dead job has a place among the dead,
// in the order they died; all others wait.
const layout = `
  CREATE TABLE job (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    data TEXT NOT NULL CHECK (json_valid(data)), due_at REAL NOT NULL, next_at REAL NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, death INTEGER, error TEXT
  ) STRICT;
  CREATE INDEX waiting ON job (name, next_at, number) WHERE death IS NULL;
  CREATE INDEX dead ON job (death) WHERE death IS NOT NULL`

const statements = {
  add: 'INSERT INTO job (id, name, data, due_at, next_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
  remove: 'DELETE FROM job WHERE id IN (SELECT value FROM json_each(?))',
  known: 'SELECT id FROM job WHERE id IN (SELECT value FROM json_each(?))',
  due: `SELECT id, name, data, due_at, attempts FROM job
    WHERE death IS NULL AND name = ? AND next_at <= ? ORDER BY next_at, number LIMIT ?`,
  nextAt: 'SELECT next_at FROM job WHERE death IS NULL AND name = ? AND next_at > ? ORDER BY next_at LIMIT 1',
  retry: 'UPDATE job SET attempts = ?, next_at = ? WHERE id = ?',
  bury: 'UPDATE job SET attempts = ?, error = ?, death = (SELECT coalesce(max(death), 0) + 1 FROM job) WHERE id = ?',
  dead: `SELECT id, name, data, due_at, attempts, error FROM job WHERE death IS NOT NULL ORDER BY death LIMIT ?`,
  counts: `SELECT
    (SELECT count(*) FROM job WHERE death IS NULL AND next_at <= ?) AS due,
    (SELECT count(*) FROM job WHERE death IS NULL) AS waiting,
    (SELECT count(*) FROM job WHERE death IS NOT NULL) AS dead`,
  revive: 'UPDATE job SET attempts = 0, next_at = ?, death = NULL, error = NULL WHERE id = ? AND death IS NOT NULL',
}

/**
 * The log knows what is open, so that a crash may take what was not committed yet: the sweep puts it back. Only what is
 * dead it leaves alone, so that a death and a revival are committed at once.
 */
const commitEveryMs = 100

/**
 * Opens the jobs in a file, and makes it if there is none or a damaged one, for the log knows what is open.
 * @param options the file and the clock; `onError` is told of damage, and when the file cannot be written
 * @throws NewerVersionError for a file of a newer version
 */
export function openSqliteJobQueue({ file, ...options }: SqliteJobQueueOptions): JobQueue {
  const { onError = () => {} } = options
  const database = openReplaceable({ file, layouts: [layout], synchronous: 'normal' }, onError)
  return tableJobQueue(tableOf(database, options.clock, onError), options)
}

function tableOf(database: DatabaseSync, clock: Clock, onError: (error: unknown) => void): JobTable {
  const prepared = preparedStatements(database)
  let cancelCommit: (() => void) | undefined

  function write<Result>(run: () => Result): Result {
    cancelCommit ??= clock.after(commitEveryMs, () => {
      cancelCommit = undefined
      try {
        commit(database)
      } catch (error) {
        onError(error)
      }
    })
    return inOpenTransaction(database, run)
  }

  function writeAtOnce<Result>(run: () => Result): Result {
    const result = write(run)
    cancelCommit?.()
    cancelCommit = undefined
    commit(database)
    return result
  }

  return {
    add(jobs) {
      write(() => {
        const add = prepared(statements.add)
        for (const { id, name, data, dueAt } of jobs) add.run(id, name, JSON.stringify(data), dueAt, dueAt)
      })
    },

    remove(ids) {
      write(() => prepared(statements.remove).run(JSON.stringify(ids)))
    },

    known(ids) {
      return prepared(statements.known)
        .all(JSON.stringify(ids))
        .map((row) => text(row.id))
    },

    due(name, now, limit) {
      return prepared(statements.due)
        .all(name, now, limit)
        .map((row) => ({ ...jobOf(row), attempts: number(row.attempts) }))
    },

    nextAt(name, now) {
      const row = prepared(statements.nextAt).get(name, now)
      return row === undefined ? undefined : number(row.next_at)
    },

    retry(id, attempts, nextAt) {
      write(() => prepared(statements.retry).run(attempts, nextAt, id))
    },

    bury(id, attempts, error) {
      writeAtOnce(() => prepared(statements.bury).run(attempts, error, id))
    },

    dead(limit) {
      return prepared(statements.dead)
        .all(limit)
        .map((row) => ({ ...jobOf(row), attempts: number(row.attempts), error: text(row.error) }))
    },

    revive(id, nextAt) {
      return writeAtOnce(() => prepared(statements.revive).run(nextAt, id).changes !== 0)
    },

    counts(now) {
      const { due, waiting, dead } = prepared(statements.counts).get(now) ?? {}
      const isDue = number(due ?? 0)
      return { due: isDue, later: number(waiting ?? 0) - isDue, dead: number(dead ?? 0) }
    },

    close() {
      cancelCommit?.()
      if (!database.isOpen) return
      try {
        commit(database)
      } finally {
        database.close()
      }
    },
  }
}

function jobOf(row: Record<string, SQLOutputValue>): Job {
  return { id: text(row.id), name: text(row.name), data: JSON.parse(text(row.data)), dueAt: number(row.due_at) }
}
