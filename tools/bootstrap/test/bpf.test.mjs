import fs from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { buildBpf } from '../lib/bpf.mjs'
import { PROFILES } from '../profiles.mjs'
import { failureOf, script, temporaryFolder } from './helpers.mjs'

const OUTPUTS = ['pyisolate_bpf.node', 'pyisolate.bpf.o', 'cgroup.bpf.o', 'pyisolate-subject', 'pyisolate-layout']

/** A build that makes what is expected, counting how often it ran. */
const BUILDS = `echo x >> "$COUNTER"; mkdir -p packages/bpf/build/Release
for name in ${OUTPUTS.join(' ')}; do : > packages/bpf/build/Release/$name; done`

let root
let tools
let log
let env

/** The checkout's part that counts, with a pnpm that does `build` instead of running CMake. */
beforeEach(() => {
  root = temporaryFolder()
  tools = temporaryFolder()
  log = path.join(root, 'log')
  write('package.json', JSON.stringify({ packageManager: 'pnpm@10.0.0' }))
  write('packages/bpf/CMakeLists.txt', 'project(x)')
  write('packages/bpf/src/bpf/a.bpf.c', 'int a;')
  script(tools, 'clang-19', 'echo clang version 17.0')
  env = { ...process.env, PATH: `${tools}:${process.env.PATH}`, COUNTER: path.join(root, 'count') }
  pnpm(BUILDS)
})

function write(file, text) {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  fs.writeFileSync(path.join(root, file), text)
}

/** Where set-up looks for its own pnpm, in a cache below the root. */
function pnpm(body) {
  script(path.join(root, 'tools', 'pnpm-10.0.0', 'node_modules', '.bin'), 'pnpm', body)
}

function build(options = {}) {
  const profile = PROFILES.standard
  return buildBpf({ root, cache: root, profile, compiler: 'gcc 12', log, report: () => {}, env, ...options })
}

const builds = () => (fs.existsSync(env.COUNTER) ? fs.readFileSync(env.COUNTER, 'utf8').trim().split('\n').length : 0)

describe('the BPF programs', () => {
  test('need a clang, and its absence is told before anything is built', async () => {
    expect(await failureOf(() => build({ env: { ...env, PATH: temporaryFolder() } }))).toMatchObject({
      code: 'COMPILER',
      message: 'no compiler for the BPF programs: clang-19 is not in PATH; install clang-19, clang-18 or clang-17',
    })
    expect(builds()).toBe(0)
    expect(fs.existsSync(log)).toBe(false)
  })

  test('are built once, and again for another source, compiler, profile or missing object', async () => {
    await build()
    await build()
    expect(builds()).toBe(1)

    write('packages/bpf/src/bpf/a.bpf.c', 'int b;')
    await build()
    expect(builds()).toBe(2)

    fs.rmSync(path.join(root, 'packages/bpf/build/Release/pyisolate.bpf.o'))
    await build()
    expect(builds()).toBe(3)

    script(tools, 'clang-19', 'echo clang version 18.0')
    await build()
    await build({ compiler: 'gcc 14' })
    await build({ compiler: 'gcc 14', profile: PROFILES.hardened })
    expect(builds()).toBe(6)
  })

  test('are not built again for a file that they do not depend on', async () => {
    await build()
    write('packages/bpf/README.md', 'other words')
    await build()
    expect(builds()).toBe(1)
  })

  test('go on where a failed build stopped, but not with what another compiler left', async () => {
    const left = path.join(root, 'packages/bpf/build/half.o')
    pnpm(
      'mkdir -p packages/bpf/build; : > packages/bpf/build/half.o; echo "a.bpf.c:1:5: error: expected x" >&2; exit 1',
    )
    expect(await failureOf(build)).toMatchObject({
      code: 'BPF_BUILD',
      message: 'building the BPF programs failed: a.bpf.c:1:5: error: expected x',
      log,
    })
    pnpm(BUILDS)
    await build()
    expect(fs.existsSync(left)).toBe(true)

    await build({ compiler: 'gcc 14' })
    expect(fs.existsSync(left)).toBe(false)
  })

  test('are not believed to be there because the build says so', async () => {
    pnpm(`${BUILDS}; rm packages/bpf/build/Release/cgroup.bpf.o`)
    expect(await failureOf(build)).toMatchObject({
      code: 'BPF_BUILD',
      message: 'the build of the BPF programs left no cgroup.bpf.o',
    })
    // Nor the next time.
    expect((await failureOf(build)).code).toBe('BPF_BUILD')
  })
})
