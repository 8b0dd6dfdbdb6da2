import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '../../../src/adapters/sqlite/database.ts'
import { temporaryDirectory } from '../../temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  directory = temporaryDirectory()
})
afterEach(() => directory.remove())

function flushes(synchronous: 'full' | 'normal') {
  const database = openDatabase({ file: join(directory.path, 'some.db'), layouts: [''], synchronous })
  const read = (pragma: string) => database.prepare(`PRAGMA ${pragma}`).get()?.[pragma]
  const found = [read('synchronous'), read('fullfsync'), read('checkpoint_fullfsync')]
  database.close()
  return found
}

test("what must be kept asks for the drive's own flush", () => {
  expect(flushes('full')).toEqual([2, 1, 1])
})

test('what can be made again does not', () => {
  expect(flushes('normal')).toEqual([1, 0, 0])
})
