import { describe, expect, it } from 'vitest'
import { compilePolicy, compileSyscalls, explain, PolicyError } from '../../src/index.js'
import { systemCallNames } from '../../src/syscalls/names.js'
import { defaultProfile } from '../../src/syscalls/profile.js'
import { randomNumbers } from '../random.js'
import { somePolicy } from '../support/generate.js'

const allowing = (name: string) => () => compilePolicy(`version: 1\nsyscalls:\n  allow: [${name}]`, { file: 'p.yaml' })

describe('system calls that are added', () => {
  it.each<[string, PolicyError['problem'], RegExp]>([
    ['execve', 'forbidden', /execve can't be allowed: it starts a program or a process: expected a policy without it/],
    ['io_uring_setup', 'forbidden', /calls that no filter sees/],
    ['mount', 'forbidden', /files and namespaces/],
    ['keyctl', 'forbidden', /the kernel's keys/],
    ['memfd_create', 'forbidden', /memory that limits do not count/],
    ['fsetxattr', 'forbidden', /past the rules on files/],
    ['clone', 'forbidden', /harmless arguments/],
    ['ioctl', 'forbidden', /harmless arguments/],
    ['socket', 'forbidden', /rules on files and the network decide on it: expected rules under fs and net/],
    ['unlinkat', 'forbidden', /rules on files and the network decide on it/],
    ['flokc', 'value', /there is no system call "flokc".*did you mean flock\?/],
    ['Fork', 'value', /there is no system call/],
  ])('%s: %s', (name, problem, message) => {
    expect(allowing(name)).toThrow(PolicyError)
    expect(allowing(name)).toThrow(expect.objectContaining({ problem, place: { file: 'p.yaml', line: 3, column: 11 } }))
    expect(allowing(name)).toThrow(message)
  })

  it('are refused or compiled, each by its name, and never both', () => {
    const { allow } = defaultProfile
    let added = 0
    for (const name of systemCallNames) {
      let compiled: ReturnType<typeof compilePolicy>
      try {
        compiled = allowing(name)()
      } catch (error) {
        expect([name, PolicyError.isInstance(error) && error.problem]).toEqual([name, 'forbidden'])
        continue
      }
      expect(compileSyscalls(compiled)).toEqual({ allow: allow.includes(name) ? [] : [name], deny: [] })
      expect(explain(compiled, { kind: 'syscall', name })).toMatchObject({ allowed: true, rule: 0 })
      added++
    }
    expect(added).toBeGreaterThan(allow.length)
  })

  it('take a misspelt denial for a mistake, too', () => {
    expect(() => compilePolicy('version: 1\nsyscalls: {deny: [sched_yeild]}')).toThrow(/did you mean sched_yield/)
  })
})

describe('the target for system calls', () => {
  it('is what a policy changes of the profile', () => {
    const policy = compilePolicy(
      'version: 1\nsyscalls: {allow: [sync, flock, read, flock], deny: [socket, execve, mmap, pause, pause, fallocate]}',
    )
    expect(compileSyscalls(policy)).toEqual({ allow: ['flock', 'sync'], deny: ['mmap', 'pause', 'socket'] })
  })

  it('leaves out what a parent allows and its child denies', () => {
    const child = compilePolicy('version: 1\nextends: ./a\nsyscalls: {deny: [flock]}', {
      resolve: (file) => ({ file, text: 'version: 1\nsyscalls: {allow: [flock, sync]}' }),
    })
    expect(compileSyscalls(child)).toEqual({ allow: ['sync'], deny: [] })
  })

  it('decides with the profile as explain does, for generated policies and every call', () => {
    const random = randomNumbers(77)
    const { allow, byArgument, ruled } = defaultProfile
    for (let round = 0; round < 40; round++) {
      const policy = somePolicy(random)
      const target = compileSyscalls(policy)
      for (const name of systemCallNames) {
        const inFilter = [...allow, ...byArgument, ...ruled, ...target.allow].includes(name)
        const allowed = inFilter && !target.deny.includes(name)
        expect([name, explain(policy, { kind: 'syscall', name }).allowed]).toEqual([name, allowed])
      }
    }
  })

  it.each<[string, string, boolean]>([
    ['read', 'allowed by the profile', true],
    ['mmap', 'allowed by the profile, with harmless arguments', true],
    ['connect', 'left to the rules on files and the network', true],
    ['execve', 'never allowed', false],
    ['flock', 'no rule allows it', false],
    ['no_such_call', 'no rule allows it', false],
  ])('%s: %s', (name, because, allowed) => {
    const policy = compilePolicy('version: 1')
    expect(explain(policy, { kind: 'syscall', name })).toEqual({ allowed, because, rule: undefined, place: undefined })
  })
})
