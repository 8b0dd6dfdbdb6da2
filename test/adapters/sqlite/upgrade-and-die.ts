import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { openDatabase } from '../../../src/adapters/sqlite/database.ts'

/** A process that upgrades a file, and dies just before or after that is committed. */

const [file = '', moment] = process.argv.slice(2)
const layouts = z.array(z.string()).parse(JSON.parse(process.env.LAYOUTS ?? ''))
const { exec } = DatabaseSync.prototype

DatabaseSync.prototype.exec = function (sql) {
  if (sql === 'COMMIT' && moment === 'before') process.kill(process.pid, 'SIGKILL')
  exec.call(this, sql)
  if (sql === 'COMMIT') process.kill(process.pid, 'SIGKILL')
}

openDatabase({ file, layouts, synchronous: 'full', exists: true })
