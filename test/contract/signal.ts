import { describe, expect, onTestFinished, test } from 'vitest'
import type { Signal } from '../../src/engine/signal.ts'

/** What every signal must do. */

export interface SignalHarness {
  /** Opens the signal of a further member of the same cluster; resolves when it hears the others. */
  open(): Promise<Signal>
  /** Lets go of everything, and deletes it. */
  dispose(): Promise<void>
}

/**
 * Defines the tests of the port. Signals may be joined, lost and come twice, so only what must come in the end is asked for.
 * @param harness makes a cluster without members
 */
export function signalContract(harness: () => Promise<SignalHarness>): void {
  async function members(count: number): Promise<Signal[]> {
    const made = await harness()
    onTestFinished(() => made.dispose())
    const opened = await Promise.all(Array.from({ length: count }, () => made.open()))
    onTestFinished(async () => {
      for (const signal of opened) await signal.close()
    })
    return opened
  }

  /** The names that a signal has told so far. */
  function heardBy(signal: Signal | undefined): Set<string> {
    const heard = new Set<string>()
    signal?.listen((names) => {
      for (const name of names) heard.add(name)
    })
    return heard
  }

  const untilAll = (heard: ReadonlySet<string>, ...names: string[]) =>
    expect.poll(() => Array.from(heard)).toEqual(expect.arrayContaining(names))

  test('tells all members the names that are sent, the sender too', async () => {
    const signals = await members(3)
    const heard = signals.map(heardBy)
    signals[1]?.send(['orders', 'carts'])
    signals[2]?.send(['sales'])
    for (const names of heard) {
      await untilAll(names, 'orders', 'carts', 'sales')
      expect(names.size).toBe(3)
    }
  })

  test('tells all who listen to one member', async () => {
    const [sender, receiver] = await members(2)
    const [one, other] = [heardBy(receiver), heardBy(receiver)]
    sender?.send(['orders'])
    await untilAll(one, 'orders')
    await untilAll(other, 'orders')
  })

  test('tells nobody before the code that sends has run', async () => {
    const [signal] = await members(1)
    const heard = heardBy(signal)
    signal?.send(['orders'])
    expect(heard.size).toBe(0)
    await untilAll(heard, 'orders')
  })

  test('is not changed by who sent it', async () => {
    const [sender, receiver] = await members(2)
    const heard = heardBy(receiver)
    const names = ['orders']
    sender?.send(names)
    names.push('carts')
    sender?.send(['last'])
    await untilAll(heard, 'orders', 'last')
    expect(heard.has('carts')).toBe(false)
  })

  test('tells nothing any more to who has ended it, and goes on for the others', async () => {
    const [sender, receiver] = await members(2)
    const ended = new Set<string>()
    const end = receiver?.listen((names) => {
      for (const name of names) ended.add(name)
    })
    const heard = heardBy(receiver)
    sender?.send(['before'])
    await untilAll(heard, 'before')
    for (let time = 0; time < 2; time++) end?.()
    sender?.send(['after'])
    await untilAll(heard, 'after')
    expect(ended).toEqual(new Set(['before']))
  })

  describe('one that is closed', () => {
    test('hears nothing and sends nothing, and the others go on', async () => {
      const [closed, sender, receiver] = await members(3)
      const [deaf, heard] = [heardBy(closed), heardBy(receiver)]
      for (let time = 0; time < 2; time++) await closed?.close()
      closed?.send(['from-closed'])
      closed?.listen(() => deaf.add('listened-late'))
      sender?.send(['to-all'])
      await untilAll(heard, 'to-all')
      expect(deaf.size).toBe(0)
      expect(heard.has('from-closed')).toBe(false)
    })
  })
}
