// A thousand processes, each confined, side by side.
import { createSupervisor } from '@pyisolate/core'

const COUNT = 1000
const started = performance.now()
await using supervisor = createSupervisor({ pool: { size: 0 } })

const sandboxes = await Promise.all(
  Array.from({ length: COUNT }, (_, n) => supervisor.spawn(`worker-${n}`, { inputs: { n } })),
)
console.log(sandboxes.length, 'sandboxes in', new Set(sandboxes.map(({ pid }) => pid)).size, 'processes')

const squares = await Promise.all(sandboxes.map((sandbox) => sandbox.eval<number>('n * n')))
const sum = squares.reduce((a, b) => a + b, 0)
console.log('the sum of the squares is', sum) // 332833500

await supervisor.close()
console.log(supervisor.sandboxes().length, 'are left')
console.error(`all in ${((performance.now() - started) / 1000).toFixed(1)} s`)
