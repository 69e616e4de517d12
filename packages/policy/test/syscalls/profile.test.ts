import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { newestNumber, systemCallNames } from '../../src/syscalls/names.js'
import { whyNever } from '../../src/syscalls/never.js'
import { defaultProfile } from '../../src/syscalls/profile.js'

const confine = new URL('../../../native/engine/confine/', import.meta.url)
const source = (name: string) => readFileSync(new URL(name, confine), 'utf8').replace(/\/\/.*$/gm, '')

function part(text: string, from: string, to: string): string {
  const start = text.indexOf(from)
  const end = text.indexOf(to, start)
  if (start < 0 || end < 0) throw new Error(`the engine's source has no ${from} ... ${to}: this test reads it wrongly`)
  return text.slice(start, end)
}

const quoted = (text: string) => [...text.matchAll(/"(\w+)"/g)].map(([, name]) => name!)
const sorted = (names: Iterable<string>) => [...new Set(names)].sort()

/** The names of calls in `rules.allow("name"...)`, with or without conditions on arguments. */
function allowedIn(text: string, conditions: boolean): string[] {
  return [...text.matchAll(/\brules\.allow\("(\w+)"(\)|,)/g)]
    .filter(([, , end]) => (end === ',') === conditions)
    .map(([, name]) => name!)
}

describe("the profile is the engine's filter", () => {
  const all = source('seccomp.cc')
  const brokered = part(all, 'void brokered_rules(', '\n}\n')
  const baseline = all.replace(brokered, '')
  const notified = quoted(part(source('notify.cc'), 'brokered_calls() {', 'return'))

  it('calls with any argument', () => {
    const listed = quoted(part(all, 'kAllowed[] = {', '};'))
    expect(listed.length).toBeGreaterThan(100)
    expect(sorted(defaultProfile.allow)).toEqual(sorted([...listed, ...allowedIn(baseline, false)]))
  })

  it('calls whose arguments decide', () => {
    expect(sorted(defaultProfile.byArgument)).toEqual(sorted(allowedIn(baseline, true)))
  })

  it('calls that rules on files and the network decide on', () => {
    const calls = [...notified, ...allowedIn(brokered, false), ...allowedIn(brokered, true)]
    // With it a cell's thread makes its listener; a guest's thread has one already, and gets no second.
    expect(sorted(defaultProfile.ruled)).toEqual(sorted(calls.filter((name) => name !== 'seccomp')))
  })
})

describe('the lists of system calls', () => {
  const { allow, byArgument, ruled } = defaultProfile

  it('name no call twice, none that there is not, and none that can never be allowed', () => {
    const profile = [...allow, ...byArgument, ...ruled]
    expect(sorted(profile)).toEqual(profile.toSorted())
    for (const name of profile)
      expect([name, systemCallNames.includes(name), whyNever(name)]).toEqual([name, true, undefined])
  })

  it.each([
    'execve',
    'clone3',
    'ptrace',
    'bpf',
    'io_uring_enter',
    'keyctl',
    'unshare',
    'memfd_create',
    'fchown',
    'tkill',
  ])('never: %s', (name) => {
    expect(systemCallNames).toContain(name)
    expect(whyNever(name)).toMatch(/^it /)
  })

  it("know every call of the kernel's headers up to their newest", () => {
    const headers = [
      '/usr/include/x86_64-linux-gnu/asm/unistd_64.h',
      '/usr/include/asm/unistd_64.h',
      '/usr/include/asm-generic/unistd.h',
    ].filter((file) => existsSync(file))
    expect(headers, 'the headers that the engine is built with').not.toEqual([])
    const numbered = [...readFileSync(headers[0]!, 'utf8').matchAll(/^#define __NR_(\w+)\s+(\d+)\s*$/gm)]
    expect(numbered.length).toBeGreaterThan(200)
    const missing = numbered.filter(
      ([, name, number]) => Number(number) <= newestNumber && !systemCallNames.includes(name!),
    )
    expect(
      missing
        .map(([, name]) => name)
        .filter((name) => !/^(arch_specific_syscall|syscalls|sync_file_range2)$/.test(name!)),
    ).toEqual([])
  })
})
