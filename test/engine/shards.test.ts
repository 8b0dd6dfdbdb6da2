import { expect, test } from 'vitest'
import { shardOf, shareOut } from '../../src/engine/shards.ts'

const names = Array.from({ length: 60 }, (_, index) => `projection:p${index % 15}@1/${Math.floor(index / 15)}`)

function counts(owners: ReadonlyMap<string, string>): number[] {
  return [...Map.groupBy(owners.values(), (owner) => owner).values()].map(({ length }) => length)
}

function moved(from: ReadonlyMap<string, string>, to: ReadonlyMap<string, string>): number {
  return names.filter((name) => from.get(name) !== to.get(name)).length
}

test('Each name has one owner, and all members have as many', () => {
  const owners = shareOut(names, ['a', 'b', 'c'])
  expect([...owners.keys()].sort()).toEqual([...names].sort())
  expect(counts(owners)).toEqual([20, 20, 20])
  expect(shareOut(names, [])).toEqual(new Map())
})

test('All members come to the same, whatever the order in which they know of each other', () => {
  expect(shareOut([...names].reverse(), ['c', 'a', 'b'])).toEqual(shareOut(names, ['a', 'b', 'c']))
})

test('A member that comes or goes moves little more than its own part', () => {
  const [two, three, four] = [
    ['a', 'b'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c', 'd'],
  ].map((members) => shareOut(names, members))
  if (!two || !three || !four) throw new Error('three are shared out')
  expect(moved(two, three)).toBeLessThanOrEqual(20 + 10)
  expect(moved(four, three)).toBeLessThanOrEqual(15 + 10)
})

test('A name is always in the same shard, and shards have about as many names', () => {
  expect([shardOf('order-1', 4), shardOf('order-2', 4), shardOf('order-3', 1)]).toEqual([
    shardOf('order-1', 4),
    shardOf('order-2', 4),
    0,
  ])
  const inShards = Map.groupBy(
    Array.from({ length: 4_000 }, (_, index) => shardOf(`order-${index}`, 4)),
    (each) => each,
  )
  for (const { length } of inShards.values()) expect(Math.abs(length - 1_000)).toBeLessThan(100)
})
