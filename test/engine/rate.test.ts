import { expect, test } from 'vitest'
import { rate } from '../../src/engine/rate.ts'

function meter() {
  let nowMs = 5_000
  const counted = rate({ monotonic: () => nowMs })
  return {
    counted,
    pass(ms: number) {
      nowMs += ms
    },
  }
}

test('A rate is over the last half minute, and what came before is forgotten', () => {
  const { counted, pass } = meter()
  for (let second = 0; second < 60; second++) {
    counted.add(second < 30 ? 100 : 4)
    pass(1_000)
  }
  expect(counted.perSecond()).toBe(4)
  expect(counted.total()).toBe(30 * 104)
  pass(15_000)
  expect(counted.perSecond()).toBe(2)
  pass(3_600_000)
  expect(counted.perSecond()).toBe(0)
})

test('What has just begun is told by what there is of it', () => {
  const { counted, pass } = meter()
  expect(counted.perSecond()).toBe(0)
  counted.add(3)
  expect(counted.perSecond()).toBe(3)
  pass(2_000)
  expect(counted.perSecond()).toBe(1.5)
})
