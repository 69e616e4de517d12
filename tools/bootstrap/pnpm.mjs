// Runs the pinned pnpm, which set-up keeps in the cache: for npm scripts, and for people without a pnpm of their own.
import fs from 'node:fs'
import { cacheRoot } from './lib/cache.mjs'
import { main } from './lib/main.mjs'
import { pnpmProgram } from './lib/pnpm.mjs'
import { runProgram } from './lib/program.mjs'

await main(async ({ ROOT }) => {
  const pnpm = pnpmProgram(ROOT, cacheRoot())
  if (fs.existsSync(pnpm)) return runProgram(ROOT, [pnpm, ...process.argv.slice(2)])
  process.stderr.write('pnpm is not set up yet: run npm start first\n')
  return 1
})
