import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Native and crash tests: a process for each file, so that none leaves anything behind for the next.
  test: { include: ['test/**/*.test.ts'], pool: 'forks', isolate: true, testTimeout: 20_000 },
})
