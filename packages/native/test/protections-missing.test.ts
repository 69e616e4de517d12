import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

import { compile } from './support/compile.js'
import { claimedProfile, gather, isX64, missingProtections, type Subject } from './support/protections.js'

// A check that can't fail shows nothing: each protection is left out here, and must be missed.

const folder = mkdtempSync(join(tmpdir(), 'pyisolate-protections-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SOURCE = `
#include <stdio.h>
int work(const char *text, int (*then)(const char *)) {
  char line[32];
  snprintf(line, sizeof line, text, 1);
  return then(line);
}
int main(int argc, char **argv) { return work(argv[0], puts); }
`
const NOTE = `
__attribute__((section(".note.pyisolate"), used, aligned(4)))
static const struct { unsigned name_size, text_size, type; char name[12], text[16]; } note
  = { 10, 16, 1, "pyisolate", "hardened" };
`
const PROTECTED = {
  pie: ['-fPIE', '-pie'],
  canaries: ['-fstack-protector-strong'],
  fortify: ['-U_FORTIFY_SOURCE', '-D_FORTIFY_SOURCE=3'],
  branches: process.arch === 'x64' ? ['-fcf-protection'] : [],
  relro: ['-Wl,-z,relro'],
  now: ['-Wl,-z,now'],
  stack: ['-Wl,-z,noexecstack'],
}

function subject(path: string, kind: Subject['kind'] = 'executable'): Subject {
  return { path, kind, parts: { program: /^(work|main)$/ } }
}

/** The program with every protection but those that are replaced. */
function build(name: string, instead: Partial<Record<keyof typeof PROTECTED, string[]>>, more = ''): Subject {
  const flags = Object.values({ ...PROTECTED, ...instead }).flat()
  return subject(compile(folder, name, SOURCE + more, flags))
}

const complete = build('complete', {})
const onX64 = isX64(gather(complete).elf)

describe('what a binary lacks', () => {
  it('is nothing when it has everything', () => {
    expect(missingProtections(complete, 'standard')).toEqual({})
  })

  const cases: [string, Subject][] = [
    ['position independence', build('pie', { pie: ['-fno-pie', '-no-pie'] })],
    ['full RELRO', build('relro', { relro: ['-Wl,-z,norelro'] })],
    ['full RELRO', build('lazy', { now: ['-Wl,-z,lazy'] })],
    ['non-executable stack', build('stack', { stack: ['-Wl,-z,execstack'] })],
    ['no writable code', build('rwx', {}, '__asm__(".section .both,\\"awx\\",@progbits\\n.byte 0\\n.text");')],
    ['no library search path', build('rpath', { now: ['-Wl,-z,now', '-Wl,-rpath,/nowhere'] })],
    ['stack protector', build('canaries', { canaries: ['-fno-stack-protector'] })],
    ['FORTIFY_SOURCE', build('fortify', { fortify: ['-U_FORTIFY_SOURCE'] })],
  ]
  if (onX64) cases.push(['branch protection', build('branches', { branches: ['-fcf-protection=none'] })])

  it.each(cases)('is %s, and only that, when it is built without', (name, one) => {
    expect(Object.keys(missingProtections(one, 'standard'))).toEqual([name])
  })

  it.runIf(onX64)('is a relocation of code, when a library is built for fixed addresses', () => {
    const source = 'extern int puts(const char *); __asm__(".text\\n.quad puts");'
    const library = compile(folder, 'text.so', source, ['-shared', '-fno-pic', '-Wl,-z,notext'])
    expect(missingProtections(subject(library, 'library'), 'standard')).toHaveProperty('no text relocations')
  })

  it('is every one of them, when nothing is done', () => {
    const bare = build('bare', {
      pie: ['-fno-pie', '-no-pie'],
      canaries: ['-fno-stack-protector'],
      fortify: ['-U_FORTIFY_SOURCE'],
      branches: process.arch === 'x64' ? ['-fcf-protection=none'] : [],
      relro: ['-Wl,-z,norelro'],
      now: ['-Wl,-z,lazy'],
      stack: ['-Wl,-z,execstack'],
    })
    const expected = [
      'FORTIFY_SOURCE',
      'full RELRO',
      'non-executable stack',
      'position independence',
      'stack protector',
    ]
    if (onX64) expected.push('branch protection', 'control-flow integrity')
    expect(Object.keys(missingProtections(bare, 'hardened')).sort()).toEqual(expected.sort())
  })
})

describe('a claim', () => {
  it('is absent where nothing was recorded', () => {
    expect(claimedProfile(complete.path)).toBeUndefined()
  })

  it.runIf(onX64)('is not believed: a binary that says "hardened" without checking its calls is found out', () => {
    const liar = build('liar', {}, NOTE)
    expect(claimedProfile(liar.path)).toBe('hardened')
    expect(missingProtections(liar, 'hardened')).toEqual({ 'control-flow integrity': 'there are no jump tables' })
  })
})
