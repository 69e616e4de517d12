// Output and messages arrive while the guest still runs.
import { createInterface } from 'node:readline'
import { spawn } from '@pyisolate/core'

await using sandbox = await spawn('counter')

const running = sandbox.exec(`
import sys, time
for step in range(1, 4):
    print("step", step, flush=True)
    post({"done": step, "of": 3})
    assert recv() == step  # goes on once the host has seen it
print("finished", file=sys.stderr)
`)

const lines = createInterface({ input: sandbox.stdout })[Symbol.asyncIterator]()
for (let step = 1; step <= 3; step++) {
  const line = await lines.next()
  const progress = await sandbox.recv()
  console.log(line.value, progress)
  await sandbox.send(step)
}
await running
await sandbox.close()

for await (const text of sandbox.stderr) process.stdout.write(`stderr: ${text}`)
