import { defineConfig } from 'vitest/config'

/** Tests that keep the whole machine busy, or measure how long something takes: they run after all others, one at a time. */
const alone = [
  'test/{backup,cluster,package,crash,faults,races,storefront}/**/*.test.ts',
  'test/adapters/redis/*-outage.test.ts',
]

export default defineConfig({
  test: {
    pool: 'forks',
    // Files share the modules they load, which is ten times faster: nothing here keeps state in a module.
    isolate: false,
    // What is waited for comes soon, but not on a machine that is busy with other things: these end only what would never end.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: alone,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
})
