import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor, ReloadError, UnenforceableError } from '../../src/index.js'
import { everywhere, folder, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

function files(): string {
  const at = folder()
  for (const name of ['a', 'b', 'never']) {
    mkdirSync(join(at, name))
    writeFileSync(join(at, name, 'x'), name)
  }
  return at
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe.each(everywhere)('in %s isolation', (isolation) => {
  it('loosens and tightens what a running sandbox may do', async () => {
    const at = files()
    const reads = (...names: string[]) =>
      policy(`fs:\n  read: [${names.map((name) => `'${at}/${name}/**'`).join(', ')}]`)
    const { sandbox, attempt, denied } = await ruled(supervisor, { isolation, policy: reads('a') })
    expect(await attempt(`read('${at}/b/x')`)).toBe('PermissionError EACCES')
    await sandbox.reload(reads('a', 'b'))
    expect(await attempt(`read('${at}/a/x') + read('${at}/b/x')`)).toBe("'ab'")
    await sandbox.reload(reads('b'))
    expect(await attempt(`read('${at}/a/x')`)).toBe('PermissionError EACCES')
    expect(await denied(({ generation }) => generation === 3)).toMatchObject({ object: join(at, 'a', 'x') })
    expect(sandbox.policy).toMatchObject({ name: 'test', generation: 3 })
    expect(sandbox.enforcement.filter(({ detail }) => detail.includes(join(at, 'b')))).toHaveLength(1)
  })

  it('gives sockets to a sandbox that had none, and takes the right to connect away', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as { port: number }
    const dial = `socket.create_connection(('127.0.0.1', ${port}), 5).recv(5)`
    const open = await ruled(supervisor, { isolation, policy: policy('fs: {}') })
    expect(await open.attempt(dial)).toBe('PermissionError EACCES')
    await open.sandbox.reload(policy(`net:\n  connect: ['tcp://127.0.0.1:${port}']`))
    expect(await open.attempt(dial)).toBe("b'hello'")
    await open.sandbox.reload(policy('fs: {}'))
    expect(await open.attempt(dial)).toBe('PermissionError EACCES')
  })

  it('no forbidden call passes, and none goes undecided, while the policy is replaced', {
    timeout: 60_000,
  }, async () => {
    const at = files()
    // No datagram is sent: nobody needs to be at these ports.
    const rules = (name: string, port: number) =>
      policy(`fs:\n  read: ['${at}/${name}/**']\nnet:\n  connect: ['udp://127.0.0.1:${port}']`)
    const [first, second] = [rules('a', 7001), rules('b', 7002)]
    const { sandbox } = await ruled(supervisor, { isolation, policy: first })
    await sandbox.exec(`
import threading, errno
passed, wrong, opened, connected = [], [], 0, 0
stop = threading.Event()
def race(name):
    global opened
    while not stop.is_set():
        try:
            with open('${at}/' + name + '/x') as file:
                (passed.append(name) if name == 'never' else None)
                opened += 1
        except OSError as error:
            if error.errno != errno.EACCES: wrong.append(repr(error))
def race_to(port):
    global connected
    while not stop.is_set():
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.connect(('127.0.0.1', port))
                (passed.append(port) if port == 7003 else None)
                connected += 1
        except OSError as error:
            if error.errno != errno.EACCES: wrong.append(repr(error))
threads = [threading.Thread(target=race, args=(name,)) for name in ('never', 'never', 'a', 'b')]
threads += [threading.Thread(target=race_to, args=(port,)) for port in (7003, 7003, 7001, 7002)]
for thread in threads: thread.start()
`)
    for (let i = 0; i < 10_000; i++) {
      await sandbox.reload(i % 2 === 0 ? second : first)
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await sandbox.exec('stop.set()\nfor thread in threads: thread.join()')
    expect(await sandbox.eval('(passed, wrong, opened > 0, connected > 0)')).toEqual([[], [], true, true])
    expect(sandbox.policy.generation).toBe(10_001)
  })

  it('a bad policy leaves the old one in force', async () => {
    const at = files()
    const { sandbox, attempt } = await ruled(supervisor, { isolation, policy: policy(`fs:\n  read: ['${at}/a/**']`) })
    expect(await rejection(sandbox.reload('./does-not-exist.yaml'))).toMatchObject({ code: 'ERR_PYISOLATE_POLICY' })
    expect(await rejection(sandbox.reload('webscraper'))).toMatchObject({ suggestion: 'web_scraper' })
    const metered = policy('limits:\n  bandwidthOut: 1MiB/s')
    expect(UnenforceableError.isInstance(await rejection(sandbox.reload(metered)))).toBe(true)
    for (const frozen of ['syscalls:\n  deny: [times]', 'limits:\n  memory: 64MiB', 'imports:\n  deny: [json]']) {
      const error = await rejection(sandbox.reload(policy(frozen)))
      expect(ReloadError.isInstance(error) && error.frozen.length, frozen).toBe(1)
    }
    expect(await attempt(`read('${at}/a/x')`)).toBe("'a'")
    expect(sandbox.policy.generation).toBe(1)
  })

  it('the built-in policy is its kernel’s: it says to respawn', async () => {
    const { sandbox } = await ruled(supervisor, { isolation, policy: 'stdlib.readonly' })
    const error = await rejection(sandbox.reload('compute'))
    expect(ReloadError.isInstance(error)).toBe(true)
    expect((error as Error).message).toContain('spawn it again')
  })
})

describe('strict and best-effort', () => {
  const demands = 'contracts:\n  - name: few\n    on: connect\n    assert: bytes_sent < 3\nfs:\n  exec: [/bin/sh]\n'

  it('strict: what nobody can keep refuses the spawn, rule by rule', async () => {
    const error = await rejection(supervisor.spawn('strict', { policy: policy(demands) }))
    expect(
      UnenforceableError.isInstance(error) && error.rules.map(({ section, place }) => [section, place?.line]),
    ).toEqual([
      ['fs.exec', 9],
      ['contracts', 5],
    ])
  })

  it('best-effort: they are reported instead', async () => {
    const { sandbox } = await ruled(supervisor, { policy: policy(`${demands}enforcement: best-effort`) })
    const missing = sandbox.enforcement.filter(
      ({ mechanism, state }) => mechanism === 'none' && state === 'unavailable',
    )
    expect(missing.map(({ detail }) => detail.split(':')[0])).toEqual(['fs.exec', 'contracts'])
  })

  it('syscalls: a removal is kept by the filter', async () => {
    const plain = await ruled(supervisor, { policy: policy('fs: {}') })
    expect(await plain.attempt('os.sched_yield()')).toBe('None')
    const { attempt, sandbox } = await ruled(supervisor, { policy: policy('syscalls:\n  deny: [sched_yield]') })
    expect(await attempt('os.sched_yield()')).toBe('PermissionError EPERM')
    expect(
      sandbox.enforcement.some(({ mechanism, detail }) => mechanism === 'seccomp' && detail.includes('sched_yield')),
    ).toBe(true)
  })
})

describe('learning', () => {
  it('does everything, and reports all of it', async () => {
    const at = files()
    const { sandbox, denials, attempt, denied } = await ruled(supervisor, {
      policy: policy('fs: {}'),
      learn: true,
    })
    expect(await attempt(`read('${at}/never/x')`)).toBe("'never'")
    expect(await attempt(`write('${at}/never/y')`)).toBe('1')
    await denied(({ object, operation }) => operation === 'write' && object === join(at, 'never', 'y'))
    const read = denials.find(({ object }) => object === join(at, 'never', 'x'))
    expect(read).toMatchObject({ operation: 'read', allowed: false, errno: undefined })
    expect(denials.some(({ allowed }) => allowed)).toBe(true)
    await sandbox.close()
  })
})

describe.runIf(process.getuid?.() === 0)('limits.cpu', () => {
  it('a share of the CPU is kept by a control group, and changed live', async () => {
    const share = (percent: number) => policy(`limits:\n  cpu: ${percent}%`)
    const { sandbox } = await ruled(supervisor, { policy: share(10) })
    await sandbox.exec(`
import time
def worked(seconds):
    end, before = time.monotonic() + seconds, time.process_time()
    while time.monotonic() < end: pass
    return time.process_time() - before`)
    // Of a second of its own time, a tenth; the kernel's periods of 100 ms may give it one more.
    expect(await sandbox.eval<number>('worked(1)')).toBeLessThan(0.35)
    await sandbox.reload(share(400))
    expect(await sandbox.eval<number>('worked(0.5)')).toBeGreaterThan(0.1)
    expect(sandbox.enforcement).toContainEqual(
      expect.objectContaining({ mechanism: 'cgroup', state: 'active', detail: 'limits.cpu: 4 (test.yaml:5)' }),
    )
    expect(await rejection(sandbox.reload(policy('fs: {}')))).toMatchObject({ frozen: ['limits.cpu'] })
  })

  it('every template starts where it is this strict, but those that meter bandwidth', async () => {
    for (const name of ['stdlib.readonly', 'compute', 'data_pipeline', 'ml', 'public_internet']) {
      const sandbox = await supervisor.spawn(`template ${name}`, { policy: name })
      expect(await sandbox.eval('1 + 1'), name).toBe(2)
      await sandbox.close()
    }
  })
})
