import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

import { compile } from '../support/compile.js'
import { runScript } from '../support/run-script.js'
import { backends, dist } from './backends.js'

const setup = `
const { createIo } = await import(${JSON.stringify(dist)})
const localhost = { host: '127.0.0.1', port: 0 }
`

async function script(body: string, shell?: string) {
  const result = await runScript(setup + body, shell === undefined ? {} : { shell })
  expect(result, result.stderr).toMatchObject({ code: 0, signal: null, stderr: '' })
  return result.stdout.trim().split('\n')
}

describe.each(backends)('faults on %s', (backend) => {
  it('waits for descriptors when there are none left, and goes on', async () => {
    const lines = await script(
      `
const io = createIo({ backend: '${backend}' })
const listener = await io.listen(localhost, { window: 1 })
const peers = []
let failed
while (failed === undefined && peers.length < 200)
  await io.connect({ host: '127.0.0.1', port: listener.port }, { timeout: 2000 }).then((one) => peers.push(one), (error) => { failed = error.errno })
console.log(failed)
for (const peer of peers) await peer.write(Buffer.from('hello'))
// Nobody took them: most wait in the kernel. Now somebody does, and there is no descriptor to take them with.
const accepted = []
const take = async (timeout) => {
  try {
    for (;;) accepted.push(await listener.accept({ timeout }))
  } catch (error) {
    if (error.code !== 'ERR_PYISOLATE_IO_TIMEOUT') throw error
  }
}
await take(300)
console.log(io.stats().shortages > 0, accepted.length < peers.length)
const before = io.stats().wakeups
await sleep(1000)
console.log(io.stats().wakeups - before < 100) // it does not spin
// Room again: those that waited are served.
const had = accepted.length
for (const stream of accepted) await stream.close()
await take(500)
console.log(accepted.length > had)
console.log(Buffer.from(await accepted.at(-1).read({ timeout: 2000 })).toString())
await io.close()
`,
      'ulimit -n 60',
    )
    expect(lines).toEqual(['EMFILE', 'true true', 'true', 'true', 'hello'])
  })

  it('leaves nothing behind: descriptors, threads, memory', async () => {
    const [counts, grown] = await script(`
const threads = () => readdirSync('/proc/self/task').length
const once = async () => {
  const io = createIo({ backend: '${backend}' })
  const listener = await io.listen(localhost)
  const streams = await Promise.all(Array.from({ length: 20 }, () => io.connect({ host: '127.0.0.1', port: listener.port })))
  await Promise.all(streams.map((one) => one.write(new Uint8Array(10000))))
  const file = await io.open('/etc/passwd')
  await file.read(0, 100)
  await io.close()
}
await once()
await sleep(100)
const before = [descriptors(), threads()]
for (let n = 0; n < 10; ++n) await once()
gc()
const memory = process.memoryUsage().rss
for (let n = 0; n < 40; ++n) await once()
await sleep(100)
gc()
console.log(JSON.stringify([before, [descriptors(), threads()]]))
console.log((process.memoryUsage().rss - memory) / (1 << 20))
`)
    const [before, after] = JSON.parse(counts!)
    expect(after).toEqual(before)
    expect(Number(grown)).toBeLessThan(24)
  }, 60_000)

  it('keeps the process alive for what is open, and no longer', async () => {
    expect(
      await script(`
const io = createIo({ backend: '${backend}' })
const listener = await io.listen(localhost)
setTimeout(() => { console.log('alive'); listener.close() }, 200).unref()
`),
    ).toEqual(['alive'])
  })

  it('ends with a worker thread that leaves everything open', async () => {
    expect(
      await script(`
import { Worker } from 'node:worker_threads'
const before = descriptors()
const source = \`const { parentPort } = require('node:worker_threads')
import(${JSON.stringify(dist)}).then(async ({ createIo }) => {
  const io = createIo({ backend: '${backend}' })
  const listener = await io.listen({ host: '127.0.0.1', port: 0 })
  const stream = await io.connect({ host: '127.0.0.1', port: listener.port })
  stream.read().catch(() => {})
  stream.write(new Uint8Array(1 << 26)).catch(() => {})
  parentPort.postMessage('open')
})\`
for (let n = 0; n < 3; ++n) {
  const worker = new Worker(source, { eval: true })
  await new Promise((done) => worker.once('message', done))
  await worker.terminate()
}
await sleep(100)
console.log(descriptors() - before <= 2)
`),
    ).toEqual(['true'])
  })

  it('never holds the event loop up while the disk or a peer takes its time', async () => {
    const [late] = await script(`
const io = createIo({ backend: '${backend}' })
const listener = await io.listen(localhost)
const stream = await io.connect({ host: '127.0.0.1', port: listener.port })
const far = await listener.accept()
stream.write(new Uint8Array(1 << 25)).catch(() => {})
let worst = 0, last = performance.now()
const timer = setInterval(() => { worst = Math.max(worst, performance.now() - last - 5); last = performance.now() }, 5)
await sleep(500)
clearInterval(timer)
console.log(worst)
await io.close()
`)
    expect(Number(late)).toBeLessThan(150)
  })
})

describe('a host that forbids io_uring', () => {
  const FILTER = `
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
int main(int argc, char** argv) {
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (atoi(argv[1]) & SECCOMP_RET_DATA)),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return 99;
  execv(argv[2], argv + 2);
  return 98;
}`

  it.each([
    ['EPERM', 1],
    ['ENOSYS', 38],
  ])('gets epoll, by trying, when the answer is %s', (name, errno) => {
    const folder = mkdtempSync(join(tmpdir(), 'pyisolate-io-'))
    try {
      const confine = compile(folder, 'confine', FILTER, [])
      const body = `import(${JSON.stringify(dist)}).then(async ({ createIo }) => {
  const io = createIo()
  console.log(io.backend, io.refusal)
  const listener = await io.listen({ host: '127.0.0.1', port: 0 })
  const near = await io.connect({ host: '127.0.0.1', port: listener.port })
  await near.write(Buffer.from('works'))
  console.log(Buffer.from(await (await listener.accept()).read()).toString())
  await io.close()
  try { createIo({ backend: 'io_uring' }) } catch (error) { console.log(error.code, error.errno) }
})`
      const output = execFileSync(confine, [String(errno), process.execPath, '-e', body], { encoding: 'utf8' })
      expect(output.trim().split('\n')).toEqual([`epoll ${name}`, 'works', `ERR_PYISOLATE_IO_UNAVAILABLE ${name}`])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
