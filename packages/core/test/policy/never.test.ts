// Programs, processes and calls that no policy grants: the kernel fails them, and the guest's own side says so.
import { afterAll, describe, expect, it } from 'vitest'
import { createSupervisor, type Denial } from '../../src/index.js'
import { everywhere, policy, ruled } from './support.js'

const supervisor = createSupervisor()
afterAll(() => supervisor.close())

const EPERM = 'PermissionError EPERM'
const tries: readonly [source: string, seen: string, operation: Denial['operation'], object: string][] = [
  ['os.execv("/bin/true", ["true"])', EPERM, 'exec', '/bin/true'],
  ['os.execve(b"/bin/true", ["true"], {})', EPERM, 'exec', '/bin/true'],
  ['os.posix_spawn("/bin/true", ["true"], {})', EPERM, 'exec', '/bin/true'],
  ['os.posix_spawnp("true", ["true"], {})', EPERM, 'exec', 'true'],
  ['__import__("subprocess").run(["/bin/true"])', EPERM, 'exec', '/bin/true'],
  ['os.system("true")', '32512', 'exec', '/bin/sh'],
  ['os.fork()', EPERM, 'call', 'fork'],
  ['os.memfd_create("x")', EPERM, 'call', 'memfd_create'],
  ['os.unshare(0x10000000)', EPERM, 'call', 'unshare'],
  ['os.setuid(0)', EPERM, 'call', 'setuid'],
]

describe.each(everywhere)('in %s isolation', (isolation) => {
  it.each(['a policy', 'the built-in policy'])('each is told, under %s', async (ruler) => {
    const rules = ruler === 'a policy' ? { policy: policy("fs: {deny: ['/bin/true']}") } : {}
    const { attempt, denials } = await ruled(supervisor, { isolation, ...rules })
    for (const [source, seen, operation, object] of tries) {
      denials.length = 0
      expect(await attempt(source), source).toBe(seen)
      const told = denials.filter(({ toldBy }) => toldBy === 'guest')
      const rule = ruler === 'a policy' && object === '/bin/true' ? { section: 'fs.deny', line: 4 } : undefined
      expect(told, source).toMatchObject([{ operation, object, rule, errno: 'EPERM', allowed: false }])
    }
  })

  it('what the guest makes up is told only of what its policy denies', async () => {
    const { sandbox, denials, denied } = await ruled(supervisor, {
      isolation,
      policy: policy('syscalls: {allow: [sched_getattr], deny: [getppid]}'),
    })
    await sandbox.exec(`
import _pyisolate
say = lambda *args: _pyisolate.host_call('__denied_call__', args, {})
for name in ['read', 'openat', 'mmap', 'sched_getattr']: assert say('call', name) == (True, None), name
wrong = [(), ('exec',), ('exec', ''), ('exec', 5), ('exec', 'x' * 4097), ('exec', 'a\\0b'), ('call', 'Fork me'), ('call', 'x' * 65),
         ('read', '/x'), ('limit', 'memory'), (['call'], 'fork')]
for args in wrong: assert not say(*args)[0], args
assert say('call', 'getppid') == say('call', 'bpf') == (True, None)`)
    await denied(({ object }) => object === 'bpf')
    expect(denials.map(({ object, toldBy, rule }) => [object, toldBy, rule?.section])).toEqual([
      ['getppid', 'guest', 'syscalls.deny'],
      ['bpf', 'guest', undefined],
    ])
  })
})
