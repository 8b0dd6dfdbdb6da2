import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: '100%',
    // Files share the modules they load, which is ten times faster: nothing here keeps state in a module.
    isolate: false,
    testTimeout: 15_000,
    hookTimeout: 15_000,
    // What is waited for comes soon, but not on a machine that is busy with other things.
    expect: { poll: { timeout: 10_000 } },
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
})
