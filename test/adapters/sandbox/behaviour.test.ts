import { describe, expect, test } from 'vitest'
import { Behaviour, choices } from '../../../src/adapters/sandbox/behaviour.ts'
import { cards, payment, startSandbox } from './sandbox.ts'

const keys = Array.from({ length: 2_000 }, (_, index) => `key-${index}`)

function chosen(behaviour: Partial<Behaviour>) {
  return choices(Behaviour.parse(behaviour))
}

describe('what is left to chance', () => {
  test('happens as often as the settings say', () => {
    const some = chosen({
      answer: 'pending',
      refusedShare: 0.1,
      twiceShare: 0.2,
      neverShare: 0.25,
      outOfOrderShare: 0.3,
      failedShare: 0.4,
      hangShare: 0.5,
    })
    const share = (holds: (key: string) => boolean) => keys.filter(holds).length / keys.length
    const courses = keys.map((key) => some.course({}, 'authorise', key, false))
    const shareOf = (deliveries: number) =>
      courses.filter((course) => course.deliveries === deliveries).length / keys.length
    expect(share((key) => some.outOfOrder({}, key))).toBeCloseTo(0.3, 1)
    expect(share((key) => some.interference({}, key, 1) === 'failure')).toBeCloseTo(0.4, 1)
    expect(share((key) => some.interference({}, key, 1) === 'hang')).toBeCloseTo(0.6 * 0.5, 1)
    expect(courses.filter(({ refusal }) => refusal !== undefined).length / keys.length).toBeCloseTo(0.1, 1)
    expect(shareOf(0)).toBeCloseTo(0.25, 1)
    expect(shareOf(2)).toBeCloseTo(0.75 * 0.2, 1)
    expect(keys.some((key) => some.course({}, 'refund', key, false).refusal !== undefined)).toBe(false)
  })

  test('is the same for the same seed, in any order, and another for another', () => {
    const failing = (seed: string, of: readonly string[]) => {
      const { interference } = chosen({ seed, failedShare: 0.5 })
      return of.filter((key) => interference({}, key, 1) === 'failure')
    }
    const first = failing('one', keys)
    expect(failing('one', keys.toReversed())).toEqual(first.toReversed())
    expect(failing('two', keys)).not.toEqual(first)
  })

  test('is chosen anew at each try, so that a call that fails can work', () => {
    const { interference } = chosen({ failedShare: 0.5 })
    const tries = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((attempt) => interference({}, 'key', attempt))
    expect(new Set(tries)).toEqual(new Set(['none', 'failure']))
  })

  test('never and always are exact', () => {
    const never = chosen({})
    const always = chosen({ failedShare: 1, outOfOrderShare: 1, refusedShare: 1, neverShare: 1 })
    for (const key of keys) {
      expect(never.interference({}, key, 1)).toBe('none')
      expect(never.course({}, 'authorise', key, false)).toEqual({ answer: 'at-once', redirect: false, deliveries: 1 })
      expect(always.interference({}, key, 1)).toBe('failure')
      expect(always.outOfOrder({}, key)).toBe(true)
      expect(always.course({}, 'authorise', key, false)).toMatchObject({
        deliveries: 0,
        refusal: { code: 'card-declined' },
      })
    }
  })

  test('leaves alone what a card decides', () => {
    const always = chosen({ answer: 'at-once', neverShare: 1, outOfOrderShare: 1 })
    expect(always.course({ callbacks: 'once' }, 'capture', 'key', false)).toMatchObject({ deliveries: 1 })
    expect(always.outOfOrder({ callbacks: 'once' }, 'key')).toBe(false)
    expect(always.course({ answer: 'pending', callbacks: 'twice' }, 'capture', 'key', false)).toEqual({
      answer: 'pending',
      redirect: false,
      deliveries: 2,
    })
  })

  test('is out of bounds below 0 and above 1', () => {
    for (const share of [-0.1, 1.1, Number.NaN]) expect(() => chosen({ refusedShare: share })).toThrow()
  })
})

describe('the settings hold for a card that says nothing else', () => {
  test('refusals', async () => {
    const { gateway, token } = await startSandbox({ behaviour: { refusedShare: 1 } })
    const answer = await payment(gateway).authorise(await token(cards.succeeds))
    expect(answer).toMatchObject({ status: 'refused', code: 'card-declined' })
  })

  test('answers 500', async () => {
    const { gateway, token } = await startSandbox({ behaviour: { failedShare: 1 } })
    await expect(payment(gateway).authorise(await token(cards.succeeds))).rejects.toThrow('500 (sandbox-failure)')
  })

  test('callbacks twice', async () => {
    const { gateway, token, notice } = await startSandbox({ behaviour: { answer: 'pending', twiceShare: 1 } })
    await payment(gateway).authorise(await token(cards.succeeds))
    expect(await notice()).toEqual(await notice())
  })

  test('callbacks out of order', async () => {
    const { gateway, token, notice } = await startSandbox({ behaviour: { answer: 'pending', outOfOrderShare: 1 } })
    const pay = payment(gateway)
    const answer = await pay.authorise(await token(cards.succeeds))
    expect(answer).toMatchObject({ status: 'succeeded' })
    await pay.capture('reference' in answer ? answer.reference : '')
    expect([(await notice()).kind, (await notice()).kind]).toEqual(['captured', 'authorised'])
  })
})
