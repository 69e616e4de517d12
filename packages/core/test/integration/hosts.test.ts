import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNativeEngine } from '@pyisolate/native'
import { compilePolicy } from '@pyisolate/policy'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSupervisor, type Supervisor } from '../../src/index.js'
import { everywhere, rejection } from './support.js'

const program = fileURLToPath(new URL('../../../native/build/Release/pyisolate-engine', import.meta.url))
const pythonHome = fileURLToPath(new URL('../../../native/build/Release/python-home.json', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'pyisolate-hosts-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The engine on a host that lacks something: the zygote goes without, as if the kernel had refused it. */
function lacking(what: string): Supervisor {
  const executable = join(folder, what)
  writeFileSync(executable, `#!/bin/sh\nexec '${program}' "$@" --without ${what}\n`)
  chmodSync(executable, 0o755)
  const engine = createNativeEngine({ executable, pythonHome })
  onTestFinished(() => engine.close())
  return createSupervisor({ engine })
}

describe.each(everywhere)('a host without namespaces, in %s isolation', (isolation) => {
  const options = isolation === 'interpreter' ? { cell: 'c' } : {}

  it('still confines, and says what is missing', async () => {
    await using supervisor = lacking('namespaces')
    const sandbox = await supervisor.spawn('demo', options)
    const states = new Map(sandbox.enforcement.map(({ mechanism, state }) => [mechanism, state]))
    for (const name of ['user', 'pid', 'mount', 'network', 'ipc'])
      expect(states.get(`${name}-namespace`)).toBe('unavailable')
    for (const name of ['landlock', 'seccomp', 'unprivileged-uid', 'capabilities'])
      expect(states.get(name)).toBe('active')
    // The standard library can be read, wherever it lies.
    await sandbox.exec('import json, fractions, os')
    expect(await sandbox.eval('os.getuid()')).not.toBe(0)
    const attempts = [
      'open("/etc/passwd")',
      `open(${JSON.stringify(program)})`,
      'os.listdir("/")',
      'open("../../../../../../etc/passwd")',
      'os.chroot("/")',
      'os.kill(os.getppid(), 0)',
      'os.fork()',
    ]
    for (const attempt of attempts) {
      expect(await rejection(sandbox.eval(attempt)), attempt).toMatchObject({ code: 'ERR_PYISOLATE_GUEST' })
    }
    await sandbox.close()
  })
})

describe.each(['landlock', 'seccomp'])('a host without %s', (essential) => {
  it.each(everywhere)('refuses the spawn, in %s isolation', async (isolation) => {
    await using supervisor = lacking(essential)
    const options = isolation === 'interpreter' ? { cell: 'c' } : {}
    expect(await rejection(supervisor.spawn('demo', options))).toMatchObject({
      code: 'ERR_PYISOLATE_REFUSED',
      missing: [essential],
    })
    expect(supervisor.sandboxes()).toEqual([])
  })
})

describe('a policy on a host without namespaces', () => {
  const policy = compilePolicy('version: 1\nextends: stdlib.readonly\nnet: {connect: ["tcp://127.0.0.1:1"]}')

  it('is kept in process isolation: every thread has the listener', async () => {
    await using supervisor = lacking('namespaces')
    const sandbox = await supervisor.spawn('demo', { policy })
    await sandbox.exec('import json, socket')
    for (const [code, error] of [
      ['open("/etc/passwd")', 'PermissionError'],
      ['socket.socket().connect(("127.0.0.1", 2))', 'PermissionError'],
      ['socket.socket().connect(("127.0.0.1", 1))', 'ConnectionRefusedError'],
    ] as const)
      expect(await rejection(sandbox.exec(code)), code).toMatchObject({ type: error })
  })

  it('is refused in interpreter isolation: a thread without one would reach the host', async () => {
    await using supervisor = lacking('namespaces')
    expect(await rejection(supervisor.spawn('demo', { policy, cell: 'c' }))).toMatchObject({
      code: 'ERR_PYISOLATE_REFUSED',
      missing: ['broker'],
    })
  })
})
