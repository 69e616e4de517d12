import { defineConfig } from 'vitest/config'

/** Of these, each file meets the real engine, here or in a virtual machine. */
const onTheEngine = ['integration', 'escapes', 'compatibility', 'faults', 'policy', 'kernel', 'load']

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: onTheEngine.map((folder) => `test/${folder}/**`),
          pool: 'forks',
          execArgv: ['--expose-gc'],
        },
      },
      {
        test: {
          name: 'engine',
          include: onTheEngine.map((folder) => `test/${folder}/**/*.test.ts`),
          // A process for each file, one after the other: what is timed here is timed alone.
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 30_000,
        },
      },
    ],
  },
})
