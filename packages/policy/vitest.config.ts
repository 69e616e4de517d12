import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Nothing here waits for long; a machine that does much else beside it may.
  test: { include: ['test/**/*.test.ts'], testTimeout: 20_000 },
})
