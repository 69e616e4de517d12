import { defineConfig } from 'tsup'

const ideas = [
  'hello',
  'host-functions',
  'streaming-output',
  'thousand-sandboxes',
  'misbehaving',
  'preload',
  'live-policy',
]

export default defineConfig({
  entry: Object.fromEntries(ideas.map((idea) => [idea, `${idea}/index.ts`])),
  format: ['esm'],
  // Node 20 doesn't know `await using` yet: it is compiled to what it means.
  target: 'node20',
  sourcemap: true,
  clean: true,
})
