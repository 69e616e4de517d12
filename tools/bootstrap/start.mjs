// npm start: sets everything up and runs the hello world.
import { main } from './lib/main.mjs'
import { pnpmProgram } from './lib/pnpm.mjs'
import { runProgram } from './lib/program.mjs'

await main(async ({ setUp }) => {
  const { root, cache } = await setUp()
  return runProgram(root, [pnpmProgram(root, cache), '--silent', '--dir', 'apps/examples', 'run', 'hello'])
})
