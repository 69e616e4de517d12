// The broker's own code, by itself: its decisions against the meaning of a policy, its reading of calls against anything.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { compileBrokerTable, compilePolicy, compileSyscalls, explain, systemCallNames } from '@pyisolate/policy'
import { describe, expect, it } from 'vitest'
import { FUZZ_MS, fuzz } from '../../../policy/test/random.js'
import { archX86, runFilters } from '../../../policy/test/support/cbpf.js'
import { decodeFilter } from '../../../policy/test/support/cbpf-code.js'
import { verifyFilter } from '../../../policy/test/support/cbpf-verify.js'
import { generatedVariables, someOperation, somePolicy } from '../../../policy/test/support/generate.js'

const built = (name: string): string => fileURLToPath(new URL(`../../../native/build/Release/${name}`, import.meta.url))

interface Addon {
  decide(table: Uint8Array, operation: unknown): { allowed: boolean; rule: number }
  decodeCall(number: number, args: readonly bigint[], memory: Uint8Array): number
}
const addon = createRequire(import.meta.url)(built('pyisolate_native.node')) as Addon
const noRule = 0xffffffff

describe('the broker table', () => {
  it('is decided by as explain says, for any policy and operation', { timeout: FUZZ_MS + 60_000 }, () => {
    let allowed = 0
    fuzz((random) => {
      const policy = somePolicy(random)
      const variables = generatedVariables[random(generatedVariables.length)]!
      const table = compileBrokerTable(policy, { variables })
      for (let k = 0; k < 60; k++) {
        const operation = someOperation(random)
        if (operation.kind === 'import' || operation.kind === 'syscall') continue
        const said = explain(policy, operation, variables)
        // Host names reach it in lower case.
        const named = 'name' in operation && operation.name !== undefined
        const decided = addon.decide(table, named ? { ...operation, name: operation.name!.toLowerCase() } : operation)
        expect(decided, JSON.stringify(operation)).toEqual({
          allowed: said.allowed,
          rule: said.rule ?? noRule,
        })
        if (decided.allowed) allowed++
      }
    }, 100)
    expect(allowed).toBeGreaterThan(100)
  })

  it('refuses bytes that are none, whichever byte is wrong', { timeout: FUZZ_MS + 20_000 }, () => {
    const whole = compileBrokerTable(
      compilePolicy(
        `version: 1\nfs: {read: [/a/**, /b], deny: [/a/x]}\nnet: {connect: ['tcp://10.0.0.0/8:1-9', 'tcp://x.org:1', 'unix:///s'], dns: [x.org]}`,
      ),
    )
    fuzz((random) => {
      const broken = whole.slice(0, random(4) === 0 ? random(whole.length) : whole.length)
      for (let i = 0; i <= random(6) && broken.length > 0; i++) broken[random(broken.length)] = random(256)
      try {
        addon.decide(broken, { kind: 'read', path: '/a/x/y' })
        addon.decide(broken, { kind: 'connect', protocol: 'tcp', address: '10.1.2.3', port: 5, name: 'x.org' })
        addon.decide(broken, { kind: 'bind', protocol: 'unix', path: '/s' })
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    }, 100)
    expect(() => addon.decide(new Uint8Array(64), { kind: 'read', path: '/' })).toThrow(/not a broker table/)
  })
})

describe('notified calls', () => {
  it('any number, arguments and memory: an errno, and no harm', { timeout: FUZZ_MS + 20_000 }, () => {
    const numbers = [2, 4, 6, 21, 41, 42, 44, 46, 49, 50, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 137, 138]
    numbers.push(76, 257, 258, 262, 263, 264, 265, 266, 267, 268, 269, 280, 316, 332, 437, 439, 452)
    let good = 0
    fuzz((random) => {
      const memory = new Uint8Array(6000)
      for (let i = 0; i < 200; i++) memory[random(memory.length)] = random(4) === 0 ? 0 : random(256)
      // Pointers within pointers: a message's pieces may lie anywhere, too.
      new DataView(memory.buffer).setBigUint64(random(5990), BigInt(4096 + random(7000)), true)
      for (let i = 0; i < 100; i++) {
        const args = Array.from(
          { length: 6 },
          () =>
            [BigInt(4096 + random(6100)), BigInt(random(70_000)), 2n ** 64n - BigInt(1 + random(5000)), 0n][random(4)]!,
        )
        const errno = addon.decodeCall(random(10) === 0 ? random(500) : numbers[random(numbers.length)]!, args, memory)
        expect(errno).toBeGreaterThanOrEqual(0)
        if (errno === 0) good++
      }
    }, 50)
    expect(good).toBeGreaterThan(100)
  })
})

describe.runIf(process.arch === 'x64')('the filters of a cell, run on calls that are never made', () => {
  const numbers = new Map(
    execFileSync('sh', ['-c', 'echo "#include <asm/unistd_64.h>" | cc -E -dM -'], { encoding: 'utf8' })
      .split('\n')
      .flatMap((line) => {
        const match = /^#define __NR_(\w+) (\d+)$/.exec(line)
        return match === null ? [] : [[match[1]!, Number(match[2])] as const]
      }),
  )

  /** `lone`: of a process cell, whose second filter is the baseline; in a shared cell it is the first one. */
  const filters = (args: readonly string[], lone = false) => {
    const printed = JSON.parse(execFileSync(built('pyisolate-engine'), ['filter', ...args], { encoding: 'utf8' }))
    return (lone ? [printed.loneBaseline, printed.notify] : [printed.baseline, printed.notify])
      .filter((hex: string) => hex !== '')
      .map((hex: string) => decodeFilter(Buffer.from(hex, 'hex')))
  }

  const changes = 'syscalls:\n  allow: [fallocate, sched_getattr]\n  deny: [sched_yield, mmap, openat, getppid]'
  /** Of those the ones that the engine can do without before it is listened to, and that no other rule is about. */
  const told = ['sched_yield', 'getppid']

  it.each([
    ['the profile', '', false],
    ['additions and removals', changes, false],
    ['the same in a process of its own', changes, true],
  ])('%s: as explain says, call by call', (_, section, lone) => {
    const policy = compilePolicy(`version: 1\n${section}`)
    const { allow, deny } = compileSyscalls(policy)
    const calls = [...allow.flatMap((name) => ['--allow-call', name]), ...deny.flatMap((name) => ['--deny-call', name])]
    const programs = filters(['--broker', 'files-and-sockets', ...calls], lone)
    for (const program of programs) verifyFilter(program)
    let compared = 0
    for (const name of systemCallNames) {
      const nr = numbers.get(name)
      // By arguments, and what makes listeners: other tests.
      const { allowed, because } = explain(policy, { kind: 'syscall', name })
      if (nr === undefined || because.includes('harmless arguments') || ['seccomp', 'setsockopt'].includes(name))
        continue
      const { action } = runFilters(programs, { nr, arch: archX86, args: name === 'socket' ? [2n /* AF_INET */] : [] })
      const passes = action === 'allow' || action === 'notify'
      const brokered = because === 'left to the rules on files and the network'
      // Always refused in the same way, so that whoever calls falls back: no permission is asked.
      if (name === 'sendmmsg') expect(action).toBe('errno')
      else if (section !== '' && told.includes(name)) {
        expect([name, action]).toEqual([name, 'notify'])
        // Without the notifying filter: a shared cell's main thread, which nobody listens to, doesn't get it.
        const alone = runFilters(programs.slice(0, 1), { nr, arch: archX86, args: [] })
        expect([name, alone.action]).toEqual([name, lone ? 'allow' : 'notify'])
      } else expect([name, passes], because).toEqual([name, allowed || brokered])
      compared++
    }
    expect(compared).toBeGreaterThan(250)
  })

  it('finds its answer soon: a tree, not a list', () => {
    const [baseline] = filters([])
    const steps = [...numbers.values()].map((nr) => runFilters([baseline!], { nr, arch: archX86 }).steps)
    expect(Math.max(...steps)).toBeLessThan(60)
    expect(baseline!.length).toBeGreaterThan(200)
  })

  it('other architectures and x32 are the end of the process', () => {
    const programs = filters(['--broker', 'files-and-sockets'])
    expect(runFilters(programs, { nr: 0, arch: 0x4000_0003 }).action).toBe('killProcess')
    expect(runFilters(programs, { nr: 0x4000_0000, arch: archX86 }).action).toBe('killProcess')
  })
})
