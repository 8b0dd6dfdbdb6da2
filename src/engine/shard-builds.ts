import type { BuildProgress, BuildTarget } from './build.ts'
import type { EventStore } from './event-store.ts'
import type { Feed } from './feed.ts'
import { advance, openFollower, savePlace } from './follower.ts'
import { type Projection, specOf } from './projection.ts'
import type { GenerationInfo, ReadStore } from './read-store.ts'
import type { Builder } from './rebuilds.ts'

/** A projection that a new generation is built for. */
export interface BuildOrder {
  readonly definition: Projection
  onProgress(progress: BuildProgress): void
  onFailure(error: unknown): void
}

export interface ShardBuildsOptions {
  readonly store: EventStore
  readonly readStore: ReadStore
  readonly feed: Feed
  readonly builder: Builder
  /** Hash shards of each generation. */
  readonly shards: number
  /** Told when queries read a new generation. */
  readonly onSwapped: () => void
}

/** Builds new generations of read models for all who share them, and swaps them in. It never throws: each order is told. */
export function shardBuilds(options: ShardBuildsOptions) {
  const { store, readStore, feed, builder, shards, onSwapped } = options

  /** The generation to build: one that was begun, or a new one. */
  async function targetOf(definition: Projection, generations: readonly GenerationInfo[]): Promise<BuildTarget> {
    const { name, version } = definition
    const begun = generations.find(
      (each) => each.projection === name && each.version === version && each.state === 'building',
    )
    const opened = begun && (await openFollower(store, readStore, begun.id, definition))
    if (begun && !opened) await readStore.dropGeneration(begun.id)
    const generation = opened?.generation ?? (await readStore.createGenerationToFill(specOf(definition), shards))
    // The builder opens it for itself.
    await generation.close()
    return { projection: name, generationId: generation.id }
  }

  /** Brings a new generation up to where the log is, and lets queries read it from then on. */
  async function swapIn({ definition }: BuildOrder, id: string, signal: AbortSignal): Promise<void> {
    const follower = await openFollower(store, readStore, id, definition)
    if (!follower) throw new Error(`The new generation of ${definition.name} can't be opened`)
    try {
      const { position: head } = await store.head()
      if (follower.position < head) {
        for await (const stretch of feed.follow(follower.position, signal)) {
          await advance(store.logId, definition, follower, stretch.events, stretch)
          if (follower.position < head) continue
          await savePlace(store.logId, follower, stretch.eventId)
          break
        }
      }
      if (signal.aborted) return
      await readStore.makeLive(id)
      onSwapped()
    } finally {
      await follower.generation.close()
    }
  }

  async function build(
    orders: readonly BuildOrder[],
    generations: readonly GenerationInfo[],
    signal: AbortSignal,
  ): Promise<void> {
    const targets: (BuildTarget & { readonly order: BuildOrder })[] = []
    for (const order of orders) targets.push({ order, ...(await targetOf(order.definition, generations)) })
    const failures = await builder(
      targets.map(({ projection, generationId }) => ({ projection, generationId })),
      (progress) => {
        for (const { onProgress } of orders) onProgress(progress)
      },
      signal,
    )
    for (const { order, generationId } of targets) {
      if (signal.aborted) return
      const failure = failures.find((each) => each.generationId === generationId)
      if (failure === undefined) await swapIn(order, generationId, signal).catch(order.onFailure)
      else order.onFailure(new Error(failure.message))
      // What else went wrong may be over by the next try, which goes on from here.
      if (failure?.isPoison) await readStore.dropGeneration(generationId).catch(order.onFailure)
    }
  }

  /** @param signal aborted when another process goes on with it: the two must not write at once */
  return async (
    orders: readonly BuildOrder[],
    generations: readonly GenerationInfo[],
    signal: AbortSignal,
  ): Promise<void> => {
    try {
      await build(orders, generations, signal)
    } catch (error) {
      for (const order of orders) order.onFailure(error)
    }
  }
}
