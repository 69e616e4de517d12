// In a virtual machine: what opening a file costs without the LSM programs, with them, and in a sandbox of theirs.
// Prints JSON: nanoseconds each. Started with `child` it is the process that opens.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BpfPolicy, loadLsm } from '@pyisolate/bpf'

if (process.argv[2] === 'child') process.on('message', (message) => process.send!(measure(message as Order)))
else await main(Number(process.argv[2]), Number(process.argv[3]))

interface Order {
  readonly file: string
  readonly count: number
}

function measure({ file, count }: Order): number {
  const start = process.hrtime.bigint()
  for (let i = 0; i < count; i++) closeSync(openSync(file, 'r'))
  return Number(process.hrtime.bigint() - start) / count
}

async function main(rounds: number, count: number): Promise<void> {
  const top = mkdtempSync(join(tmpdir(), 'pyisolate-lsm-'))
  // In memory: the machine's root is shared with its host, which would be all that is measured.
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', top])
  const folder = join(top, 'a', 'b', 'c')
  mkdirSync(folder, { recursive: true })
  const order = { file: join(folder, 'file'), count }
  writeFileSync(order.file, 'x')
  const read = 1
  const rule = { path: top, subtree: true, ops: read, deny: false, rule: 0 }
  const policy: BpfPolicy = { files: [rule], nets: [], unixes: [], contractPaths: [] }
  const samples = { without: [] as number[], unlabelled: [] as number[], labelled: [] as number[] }
  const plain = start()
  const labelled = start()
  await Promise.all([ask(plain, order), ask(labelled, order)]) // to warm up
  const without = async () => {
    for (let round = 0; round < rounds; round++) samples.without.push(await ask(plain, order))
  }
  // Loading takes seconds here: half of the plain ones come before, half after.
  await without()
  const lsm = loadLsm()
  lsm.putPolicy(1, policy)
  lsm.label(labelled.pid!, { sandbox: 1n, slot: 1 })
  for (let round = 0; round < 2 * rounds; round++) {
    samples.unlabelled.push(await ask(plain, order))
    samples.labelled.push(await ask(labelled, order))
  }
  if (lsm.counters(1n).opens < BigInt(2 * rounds * count)) throw new Error('the programs did not see what was opened')
  lsm.close()
  await without()
  for (const child of [plain, labelled]) child.kill('SIGKILL')
  console.log(JSON.stringify(samples))
}

function start(): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['child'])
}

async function ask(child: ChildProcess, order: Order): Promise<number> {
  child.send(order)
  const [took] = await once(child, 'message')
  return took as number
}
