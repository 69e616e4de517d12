// In the machine: runs every scenario and says how each went, a line of JSON each.
import { Lab } from './lab.js'
import { scenarios } from './scenarios.js'

const lab = new Lab()
for (const scenario of scenarios) {
  if (scenario.needs === 'thread-label' && !lab.namesThreads) {
    console.log(`RESULT ${JSON.stringify({ name: scenario.name, lacks: scenario.needs })}`)
    continue
  }
  let error = ''
  try {
    await scenario.run(lab)
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
  }
  console.log(`RESULT ${JSON.stringify({ name: scenario.name, error })}`)
}
lab.lsm.close()
console.log('RESULTS-END')
process.exit(0)
