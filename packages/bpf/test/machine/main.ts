// In the machine: runs every scenario and says how each went, a line of JSON each.
import { release } from 'node:os'
import { Lab } from './lab.js'
import { supervise } from './objects.js'
import { offered } from './scenario.js'
import { scenarios } from './scenarios.js'

if (process.argv[2] === 'supervise') await supervise(process.argv.slice(3))
const only = process.argv[2]
const lab = new Lab()
for (const scenario of scenarios) {
  if (!offered(scenario, release()) || (only !== undefined && !scenario.name.includes(only))) continue
  const started = performance.now()
  let error = ''
  try {
    await scenario.run(lab)
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  }
  console.log(`RESULT ${JSON.stringify({ name: scenario.name, error, ms: Math.round(performance.now() - started) })}`)
}
lab.lsm.close()
console.log('RESULTS-END')
process.exit(0)
