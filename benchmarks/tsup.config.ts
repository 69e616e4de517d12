import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    main: 'src/main.ts',
    'peers/pyodide-child': 'src/peers/pyodide-child.ts',
    'peers/monty-child': 'src/peers/monty-child.ts',
    'machine/lsm-overhead': 'src/machine/lsm-overhead.ts',
  },
  format: ['esm'],
  target: 'node20',
  // The rivals, where they are installed.
  external: ['pyodide', '@pydantic/monty'],
  sourcemap: true,
  clean: true,
})
