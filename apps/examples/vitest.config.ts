import { defineConfig } from 'vitest/config'

export default defineConfig({
  // One after the other: a thousand sandboxes are bad neighbours for what is timed next door.
  test: { include: ['test/**/*.test.ts'], pool: 'forks', fileParallelism: false, testTimeout: 60_000 },
})
