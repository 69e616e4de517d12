import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/main.ts', 'src/peers/pyodide-child.ts', 'src/peers/monty-child.ts'],
  format: ['esm'],
  target: 'node20',
  // The rivals, where they are installed.
  external: ['pyodide', '@pydantic/monty'],
  sourcemap: true,
  clean: true,
})
