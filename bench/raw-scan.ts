import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { answerParent } from './child.ts'

/** The least that a reader of the log can do: every row of it, its JSON parsed, and nothing else. A process of its own. */

const Row = z.object({ data: z.string(), metadata: z.string() })

answerParent(async (file) => {
  const database = new DatabaseSync(z.string().parse(file), { readOnly: true })
  const select = database.prepare(
    'SELECT position, stream, revision, id, type, data, metadata FROM events ORDER BY position',
  )
  Row.parse(select.get())
  const beganMs = performance.now()
  let events = 0
  for (const { data, metadata } of select.iterate()) {
    JSON.parse(String(data))
    JSON.parse(String(metadata))
    events++
  }
  const seconds = (performance.now() - beganMs) / 1_000
  database.close()
  return { events, seconds }
})
