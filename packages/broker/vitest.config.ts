import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Properties are tried a hundred times, by a cipher in TypeScript: a busy machine takes its time.
  test: { include: ['test/**/*.test.ts'], testTimeout: 60_000 },
})
