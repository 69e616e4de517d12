// In the machine: sandboxes behind `bpfLsm()`, a line of JSON for what became of each attempt.
import { spawn as spawnProcess } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { bpfBandwidth, bpfLsm } from '@pyisolate/bpf'
import { createSupervisor, type Supervisor } from '@pyisolate/core'
import type { CompiledPolicy } from '@pyisolate/policy'
import { echo } from './echo.js'
import { folder, policy, type Scenarios, spawn, told } from './lab.js'
import { passedDescriptors } from './passed-descriptors.js'
import { sharedCells } from './shared-cells.js'

const files = (exec: boolean) =>
  policy(`fs: { read: [${folder}/**], write: [${folder}/**]${exec ? `, exec: [${folder}/**]` : ''} }`)

/**
 * Another process, of nobody, that tells what its I/O threads are given when it is asked. A process of its own, as some
 * builds of Node.js never change their ids; it may read this checkout wherever it lies, and has no other capability.
 */
function asNobody() {
  const rights = ['--inh-caps=-all,+dac_read_search', '--ambient-caps=+dac_read_search']
  const program = fileURLToPath(new URL('echo-answers.js', import.meta.url))
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', ...rights, process.execPath, program]
  const child = spawnProcess('setpriv', nobody, { stdio: ['pipe', 'pipe', 'inherit'] })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    async echo(): Promise<string> {
      child.stdin.write('\n')
      const { value, done } = await answers.next()
      return done ? 'ended' : value
    },
    end: () => child.stdin.end(),
  }
}

/** A server for whoever is to connect. */
async function serve(each: (peer: Socket) => void) {
  const server = createServer((peer) => each(peer.on('error', () => {})))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, port: (server.address() as AddressInfo).port }
}

/** What becomes of a policy where there is no enforcer. */
async function spawnWithout(without: Supervisor, policy: CompiledPolicy): Promise<string> {
  return without.spawn('refused', { policy }).then(
    () => 'spawned',
    (error) => error.code,
  )
}

const scenarios: Scenarios = {
  ...passedDescriptors,
  ...sharedCells,

  async 'code that a guest has written'({ held: supervisor, without }) {
    const path = join(folder, 'code')
    const results: Record<string, unknown> = {}
    await using open = await spawn(without, { policy: files(false) })
    await open.eval(`plant(${JSON.stringify(path)})`)
    results.without = await open.eval(`attempt(run_code, ${JSON.stringify(path)})`)
    await using held = await spawn(supervisor, { policy: files(false) })
    await held.eval(`plant(${JSON.stringify(path)})`)
    results.with = await held.eval(`attempt(run_code, ${JSON.stringify(path)})`)
    results.read = await held.eval(`open(${JSON.stringify(path)}, 'rb').read(1) == b'\\xc3'`)
    results.told = await told(({ operation }) => operation === 'exec')
    await held.reload(files(true))
    results.loosened = await held.eval(`attempt(run_code, ${JSON.stringify(path)})`)
    await held.reload(files(false))
    results.tightened = await held.eval(`attempt(run_code, ${JSON.stringify(path)})`)
    const entries = held.enforcement.filter(({ mechanism }) => mechanism === 'bpf-lsm')
    results.enforcement = [...new Set(entries.map(({ state, detail }) => `${state} ${detail.split(':')[0]}`))].sort()
    return results
  },

  async 'what a connected socket sends'({ held: supervisor, without }) {
    const { server, port } = await serve((peer) => peer.resume())
    const limited = policy(`net: { connect: ['tcp://127.0.0.1:${port}'] }
contracts: [{ name: little, on: sendto, assert: bytes_sent <= 1000, action: deny }]`)
    const refused = await spawnWithout(without, limited)
    await using held = await spawn(supervisor, { policy: limited })
    const little = await held.eval(`attempt(send, ${port}, 400, 400)`)
    const much = await held.eval(`attempt(send, ${port}, 400, 400)`)
    server.close()
    // What the broker sends for it, to an address, counts as well: no way around the contract.
    const datagrams = policy(`net: { sendto: ['udp://127.0.0.1:*'] }
contracts: [{ name: little, on: sendto, assert: bytes_sent <= 1000, action: deny }]`)
    await using named = await spawn(supervisor, { policy: datagrams })
    await named.exec(`
def name(size): socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x' * size, ('127.0.0.1', 9))`)
    const addressed: string[] = []
    for (let i = 0; i < 3; i++) addressed.push(await named.eval('attempt(name, 400)'))
    return { refused, little, much, addressed }
  },

  async 'what a connected socket receives'({ held: supervisor, without }) {
    const { server, port } = await serve((peer) => peer.end(Buffer.alloc(1000)))
    const limited = policy(`net: { connect: ['tcp://127.0.0.1:${port}'] }
contracts: [{ name: little, on: connect, assert: bytes_received < 1500, action: deny }]`)
    const refused = await spawnWithout(without, limited)
    await using held = await spawn(supervisor, { policy: limited })
    // Read without a call that a program could judge: by read(2).
    await held.exec(`
import os
def receive(port):
    with socket.create_connection(('127.0.0.1', port)) as peer:
        while os.read(peer.fileno(), 4096): pass`)
    const attempts: string[] = []
    for (let i = 0; i < 3; i++) attempts.push(await held.eval(`attempt(receive, ${port})`))
    server.close()
    return { refused, attempts, counted: Number(held.counters()['bpf-lsm']?.bytes_received) }
  },

  async bandwidth() {
    const server = createSocket('udp4')
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    const { port } = server.address()
    const limited = policy(`net: { connect: ['udp://127.0.0.1:${port}'] }
limits: { bandwidthOut: 64kB/s }`)
    await using bandwidth = bpfBandwidth()
    await using supervisor = createSupervisor({ pool: { size: 0 }, enforcers: [bandwidth] })
    const results: Record<string, unknown> = {}
    for (const isolation of ['process', 'interpreter'] as const) {
      const since = performance.now()
      const cell = isolation === 'interpreter' ? { cell: 'metered' } : {}
      await using held = await spawn(supervisor, { isolation, ...cell, policy: limited })
      await held.exec(`
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', ${port}))
for i in range(2000): s.send(b'x' * 1000)`)
      const { bytes_out: passed, dropped_out: dropped } = held.counters()['bpf-bandwidth']!
      const most = (128 << 10) + (64_000 * (performance.now() - since)) / 1000
      results[isolation] = { all: Number(passed! + dropped!), within: Number(passed) <= most, dropped: dropped! > 0n }
    }
    server.close()
    return results
  },

  /** `kernel.io_uring_disabled` (Linux 6.6) is a whole machine's: here it is ours alone. */
  async 'io_uring by the kernel’s setting'() {
    const setting = '/proc/sys/kernel/io_uring_disabled'
    if (!existsSync(setting)) return { absent: true }
    const before = readFileSync(setting, 'utf8')
    const results: Record<string, unknown> = { absent: false }
    const nobody = asNobody()
    try {
      for (const value of ['0', '1', '2']) {
        writeFileSync(setting, value)
        results[`${value} as root`] = await echo()
        // Without CAP_SYS_ADMIN, and in no group that may.
        results[`${value} as nobody`] = await nobody.echo()
      }
      await using sandbox = await spawn(without, {})
      results.guest = await sandbox.eval(`len(__import__('pyisolate').open(__import__('os').__file__).read(100))`)
    } finally {
      nobody.end()
      writeFileSync(setting, before)
    }
    return results
  },

  async 'two policies in one process'({ held: supervisor }) {
    const path = join(folder, 'code')
    writeFileSync(path, Buffer.alloc(4096, 0xc3))
    const options = { isolation: 'interpreter', cell: 'shared' } as const
    await using may = await spawn(supervisor, { ...options, policy: files(true) })
    await using mayNot = await spawn(supervisor, { ...options, policy: files(false) })
    const attempt = `attempt(run_code, ${JSON.stringify(path)})`
    const thread = `(lambda r: (lambda t: (t.start(), t.join(), r[0])[2])(__import__('threading').Thread(target=lambda: r.append(${attempt}))))([])`
    return { may: await may.eval(attempt), mayNot: await mayNot.eval(attempt), itsThread: await mayNot.eval(thread) }
  },
}

await using enforcer = bpfLsm()
await using held = createSupervisor({ pool: { size: 0 }, enforcers: [enforcer] })
await using without = createSupervisor({ pool: { size: 0 } })
const only = new RegExp(process.argv[2] ?? '')
for (const [name, scenario] of Object.entries(scenarios).filter(([name]) => only.test(name))) {
  let outcome: unknown
  const since = performance.now()
  try {
    outcome = { results: await scenario({ held, without }) }
  } catch (error) {
    const { code, stack } = error as Error & { code?: string }
    outcome = { error: { code: code ?? null, text: stack } }
  }
  console.log(`RESULT ${JSON.stringify({ name, ms: Math.round(performance.now() - since), ...(outcome as object) })}`)
}
console.log('RESULTS-END')
