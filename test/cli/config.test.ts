import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { environmentWith, startChild } from '../child-process.ts'

test('`daybook config` lists all settings also where one is wrong, and says which', async () => {
  const commandLine = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
  const child = startChild({
    command: [process.execPath, commandLine, 'config'],
    environment: environmentWith({ DAYBOOK_PROT: '1' }),
  })
  onTestFinished(() => child.kill())
  expect(await child.ended).toEqual({ code: 1, signal: null })
  expect(child.output()).toMatch(/^DAYBOOK_PORT +\(not read\) +Port of the API/m)
  expect(child.output()).toContain('DAYBOOK_PROT: is no setting of Daybook')
})
