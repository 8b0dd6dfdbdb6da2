import { onTestFinished } from 'vitest'
import { build } from '../../src/engine/build.ts'
import { eventRegistry } from '../../src/engine/events.ts'
import { type Projections, type ProjectionsOptions, projections } from '../../src/engine/projections.ts'
import type { Builder } from '../../src/engine/rebuilds.ts'
import { accountEvents } from './account.ts'

interface Given extends Pick<ProjectionsOptions, 'store' | 'readStore' | 'projections' | 'clock'> {
  /** Builds in place of the usual builder, which it is given. */
  readonly builder?: (usual: Builder) => Builder
}

/** Read models of accounts that follow a log until the test is finished, with the failures that they were told of. */
export async function following({ builder = (usual) => usual, ...given }: Given): Promise<{
  readonly readModels: Projections
  readonly failures: unknown[]
}> {
  const registry = eventRegistry([accountEvents])
  const failures: unknown[] = []
  const readModels = projections({
    ...given,
    registry,
    retirementMs: 60_000,
    onFailure: (error) => failures.push(error),
    builder: builder((targets, onProgress, signal) => {
      const onBatch = async (progress: Parameters<typeof onProgress>[0]) => onProgress(progress)
      return build({ ...given, registry, now: given.clock.now, signal, onBatch }, targets)
    }),
  })
  await readModels.start()
  onTestFinished(() => readModels.stop())
  return { readModels, failures }
}
