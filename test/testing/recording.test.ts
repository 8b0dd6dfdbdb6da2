import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineEvents, versioned } from '../../src/engine/events.ts'
import { firstInstant, recorded } from '../../src/testing/recording.ts'

/** Tests of how the events of a test would be in a log. */

const bellEvents = defineEvents('bell', {
  Rung: versioned(z.object({ times: z.int().default(1) }), [(data) => ({ ...data, times: 1 })]),
})

test('an event is recorded as the log has it: parsed, and in its present version', () => {
  expect(recorded(bellEvents, 'front', { type: 'Rung', data: {} })).toMatchObject({
    stream: 'bell-front',
    revision: 0,
    data: { times: 1 },
    metadata: { version: 2, recordedAt: firstInstant, occurredAt: firstInstant },
  })
})

test('what the schema refuses, or nobody defines, is not recorded', () => {
  expect(() => recorded(bellEvents, 'front', { type: 'Rung', data: { times: 0.5 } })).toThrow(
    'Rung is not what its schema says',
  )
  expect(() => recorded(bellEvents, 'front', { type: 'Broken', data: {} })).toThrow('bell defines no event Broken')
})
