import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNativeEngine } from '@pyisolate/native'
import { skipUnless } from '@pyisolate/test-kit'
import { afterAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { createSupervisor, type Supervisor } from '../../src/index.js'
import { everywhere, rejection } from './support.js'

// Roots as containers have them: less than the host's, and the standard library where only root can go.
const release = fileURLToPath(new URL('../../../native/build/Release', import.meta.url))
const program = join(release, 'pyisolate-engine')
const folder = mkdtempSync(join(tmpdir(), 'pyisolate-roots-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The interpreter's library below a home that is closed to everybody but its owner. */
function closedHome(): { prefix: string; stdlib: string; version: string } {
  const built = JSON.parse(readFileSync(join(release, 'python-home.json'), 'utf8')) as {
    stdlib: string
    version: string
  }
  const home = join(folder, 'home')
  const stdlib = join(home, 'python', 'lib', basename(built.stdlib))
  mkdirSync(stdlib, { recursive: true })
  const needless = /\/(?:test|__pycache__|config-[^/]*|lib-dynload)$/
  cpSync(built.stdlib, stdlib, { recursive: true, filter: (file) => !needless.test(file) })
  chmodSync(home, 0o700)
  chmodSync(folder, 0o755)
  return { prefix: join(home, 'python'), stdlib, version: built.version }
}

let pythonHome: ReturnType<typeof closedHome> | undefined

function underRoot(context: TestContext, name: string, script: string, options: { closed?: boolean } = {}): Supervisor {
  skipUnless(context, 'root', 'becomes a root that is less than this one')
  skipUnless(context, 'all-capabilities', 'makes such roots')
  skipUnless(context, 'user-namespaces', 'is granted them')
  const executable = join(folder, name)
  writeFileSync(executable, `#!/bin/sh\nPATH=/usr/bin:/usr/sbin:/bin:/sbin; export PATH\n${script}\n`)
  chmodSync(executable, 0o755)
  if (options.closed) pythonHome ??= closedHome()
  const engine = createNativeEngine({
    executable,
    pythonHome: options.closed ? pythonHome! : join(release, 'python-home.json'),
  })
  onTestFinished(() => engine.close())
  return createSupervisor({ engine })
}

/** CAP_SYS_ADMIN is what a container's root hasn't got; it may make user namespaces, where its seccomp profile lets it. */
const withoutAdmin = `exec setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin '${program}' "$@"`

/** A rootless container's: root of a user namespace with these ids. What writes them has to stay outside. */
function inside(map: string): string {
  return `cd "$(mktemp -d -p '${folder}')"; mkfifo entered mapped; self=$$
( read -r _ < entered; echo '${map}' > /proc/$self/uid_map; echo '${map}' > /proc/$self/gid_map; echo > mapped ) &
exec unshare -U sh -c 'echo > entered; read -r _ < mapped; cd /; exec "$0" "$@"' '${program}' "$@"`
}

const attempts = [
  'open("/etc/passwd")',
  `open(${JSON.stringify(program)})`,
  'open("../../../../../../etc/passwd")',
  'os.kill(os.getppid(), 0)',
  'os.fork()',
  'os.setuid(0)',
]

describe.each(everywhere)('without CAP_SYS_ADMIN, under a closed home, in %s isolation', (isolation) => {
  const options = isolation === 'interpreter' ? { cell: 'c' } : {}

  it('confines as well as with it, where user namespaces are granted', async (context) => {
    await using supervisor = underRoot(context, 'capless', withoutAdmin, { closed: true })
    const sandbox = await supervisor.spawn('demo', options)
    const states = new Map(sandbox.enforcement.map(({ mechanism, state }) => [mechanism, state]))
    for (const name of ['user', 'pid', 'mount', 'network', 'ipc'])
      expect(states.get(`${name}-namespace`), name).toBe('active')
    expect(states.has('root-directory')).toBe(false)
    expect(sandbox.enforcement).toContainEqual(
      expect.objectContaining({ mechanism: 'unprivileged-uid', detail: 'uid 2000013313' }),
    )
    await sandbox.exec('import json, fractions, os')
    expect(
      await sandbox.eval('[p for p in ("/etc", "/home", "/proc", "/root", "/usr/bin") if os.path.lexists(p)]'),
    ).toEqual([])
    for (const attempt of attempts)
      expect(await rejection(sandbox.eval(attempt)), attempt).toMatchObject({ code: 'ERR_PYISOLATE_GUEST' })
  })

  it('makes the interpreter’s folder the root where they are not', async (context) => {
    const script = withoutAdmin.replace('"$@"', '"$@" --without namespaces')
    await using supervisor = underRoot(context, 'nameless', script, { closed: true })
    const sandbox = await supervisor.spawn('demo', options)
    const states = new Map(sandbox.enforcement.map(({ mechanism, state }) => [mechanism, state]))
    expect(states.get('mount-namespace')).toBe('unavailable')
    expect(states.get('root-directory')).toBe('active')
    await sandbox.exec('import json, fractions, os')
    for (const attempt of attempts)
      expect(await rejection(sandbox.eval(attempt)), attempt).toMatchObject({ code: 'ERR_PYISOLATE_GUEST' })
  })
})

it('without CAP_SYS_ADMIN, a granted folder under a closed home can be read, and its neighbour not', async (context) => {
  await using own = underRoot(context, 'capless-granted', withoutAdmin, { closed: true })
  const granted = join(folder, 'home', 'granted')
  for (const name of ['granted', 'neighbour']) {
    mkdirSync(join(folder, 'home', name))
    writeFileSync(join(folder, 'home', name, 'text'), name)
  }
  await own.close()
  const engine = createNativeEngine({ executable: join(folder, 'capless-granted'), pythonHome: pythonHome! })
  onTestFinished(() => engine.close())
  await using supervisor = createSupervisor({ engine, readPaths: [granted] })
  const sandbox = await supervisor.spawn('demo')
  expect(await sandbox.eval(`open(${JSON.stringify(join(granted, 'text'))}).read()`)).toBe('granted')
  const neighbour = join(folder, 'home', 'neighbour', 'text')
  expect(await rejection(sandbox.eval(`open(${JSON.stringify(neighbour)})`))).toMatchObject({
    type: 'FileNotFoundError',
  })
})

describe('as root of a user namespace', () => {
  it('with a container’s ids, cells get the highest that is nobody’s', async (context) => {
    await using supervisor = underRoot(context, 'rootless', inside('0 0 65536'))
    const sandbox = await supervisor.spawn('demo')
    expect(sandbox.enforcement).toContainEqual(
      expect.objectContaining({ mechanism: 'unprivileged-uid', state: 'active', detail: 'uid 65533' }),
    )
    await sandbox.exec('import json, os')
    for (const attempt of attempts)
      expect(await rejection(sandbox.eval(attempt)), attempt).toMatchObject({ code: 'ERR_PYISOLATE_GUEST' })
  })

  it('with ids in pieces, the highest that both maps have', async (context) => {
    await using supervisor = underRoot(context, 'pieces', inside('0 0 1\n1000 1000 3'))
    const sandbox = await supervisor.spawn('demo')
    expect(sandbox.enforcement).toContainEqual(expect.objectContaining({ detail: 'uid 1002' }))
  })

  it('with root’s alone, it refuses and says what to do', async (context) => {
    await using supervisor = underRoot(context, 'alone', inside('0 0 1'))
    const error = await rejection(supervisor.spawn('demo'))
    expect(error.code).toMatch(/^ERR_PYISOLATE_/)
    expect(error.message).toContain("no user id but root's is mapped here (/proc/self/uid_map)")
    expect(error.message).toContain('start as an ordinary user outside it')
  })
})
