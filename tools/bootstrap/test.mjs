// npm test: sets everything up and runs the whole test suite; arguments go to tools/test/run.mjs.
import { main } from './lib/main.mjs'
import { runProgram } from './lib/program.mjs'

await main(async ({ setUp, ROOT }) => {
  await setUp({ tests: true })
  return runProgram(ROOT, ['tools/test/run.mjs', ...process.argv.slice(2)])
})
