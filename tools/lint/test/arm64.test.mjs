import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkArm64, crossed, words } from '../arm64.mjs'

describe('a command of the build', () => {
  test('is taken apart as a shell would', () => {
    expect(words('g++  -DX=\\"a\\ b\\" "-I/a b" -c x.cc')).toEqual(['g++', '-DX="a b"', '-I/a b', '-c', 'x.cc'])
  })

  test('keeps its flags but those of output and of another processor', () => {
    const command =
      '/usr/bin/g++ -DA -I/i -O3 -fcf-protection -D_FORTIFY_SOURCE=3 -std=c++20 -MD -MT a -MF b -o c -c x.cc'
    expect(crossed(command, ['/usr/include'])).toEqual({
      tool: 'aarch64-linux-gnu-g++',
      args: ['-fsyntax-only', '-idirafter', '/usr/include', '-DA', '-I/i', '-std=c++20', 'x.cc'],
    })
    expect(crossed('/usr/bin/clang++-19 -c x.cc', []).tool).toBe('aarch64-linux-gnu-g++')
    expect(crossed('/usr/bin/cc -c x.c', []).tool).toBe('aarch64-linux-gnu-gcc')
  })

  test('for the BPF target stays with its compiler', () => {
    const command = 'cd /b && /usr/bin/clang-19 -target bpf -O2 -D__TARGET_ARCH_x86 -c x.bpf.c -o x.bpf.o'
    expect(crossed(command, ['/usr/include'])).toEqual({
      tool: '/usr/bin/clang-19',
      args: ['-fsyntax-only', '-target', 'bpf', '-D__TARGET_ARCH_arm64', 'x.bpf.c'],
    })
  })

  test('that compiles nothing is none', () => {
    expect(crossed(': && /usr/bin/g++ a.o -o a && :', [])).toBeUndefined()
  })
})

describe('the check', () => {
  let root
  const put = (file, text, mode = 0o644) => {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
    fs.writeFileSync(path.join(root, file), text, { mode })
  }

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'pyisolate-arm64-'))
    // For where there is no compiler for arm64: this machine's, told that it were one.
    put('bin/aarch64-linux-gnu-g++', '#!/bin/sh\nexec g++ -U__x86_64__ -D__aarch64__ "$@"\n', 0o755)
    vi.stubEnv('PATH', `${path.join(root, 'bin')}:${process.env.PATH}`)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
    fs.rmSync(root, { recursive: true })
  })

  /** A built package with these sources. */
  function built(sources) {
    const names = Object.keys(sources)
    for (const [name, text] of Object.entries(sources)) put(`packages/p/${name}`, text)
    const rules = names.map((name) => `build ${name}.o: cxx ${path.join(root, 'packages/p', name)}`)
    const rule = 'rule cxx\n  command = g++ -MD -MF $out.d -o $out -c $in\n'
    put('packages/p/build/build.ninja', `${rule}${rules.join('\n')}\n`)
  }

  test('names what is only there on x86-64, by file and line', async () => {
    built({
      'good.cc': '#include <sys/syscall.h>\n#ifdef __x86_64__\nint a = x86_only;\n#endif\nint b = SYS_read;\n',
      'bad.cc': '#include <sys/syscall.h>\n#ifdef __aarch64__\n#undef SYS_open\n#endif\nint a = SYS_open;\n',
      'plain.cc': 'this is not looked at: it says nothing of the kernel',
    })
    expect(await checkArm64(root, ['p'])).toEqual([
      expect.stringMatching(/^packages\/p\/bad\.cc: not for arm64: .*bad\.cc:5:\d+: error: .*SYS_open/),
    ])
  })

  test('is skipped, with the reason, where nothing is built or nothing could compile', async () => {
    expect(await checkArm64(root, ['absent'])).toEqual({ skipped: expect.stringContaining('npm run set-up') })
    vi.stubEnv('PATH', path.join(root, 'empty'))
    expect(await checkArm64(root, ['absent'])).toEqual({ skipped: expect.stringContaining('g++-aarch64-linux-gnu') })
  })
})
