import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { aptFailure, installPackages, missingPackages, requiredPackages } from '../lib/packages.mjs'
import { checkCompilers } from '../lib/platform.mjs'
import { PROFILES } from '../profiles.mjs'
import { failureOf, pathWith, script, temporaryFolder } from './helpers.mjs'

const { standard, hardened } = PROFILES
const everything = (names) => new Set(names)
const allBut = (absent) => (names) => new Set(names.filter((name) => name !== absent))

function stage(aptGet, query = allBut('libffi-dev')) {
  const folder = temporaryFolder()
  script(folder, 'apt-get', aptGet)
  script(folder, 'apt-cache', 'shift; for n; do printf "%s:\\n  Candidate: 1.0\\n" "$n"; done')
  script(folder, 'dpkg-query', 'exit 0')
  const log = path.join(folder, 'log')
  return { folder, log, options: { log, report: () => {}, env: pathWith(folder), query, privileges: () => [] } }
}

describe('system packages', () => {
  test('nothing is run when nothing is missing', async () => {
    const { options, log } = stage('exit 9', everything)
    await installPackages(standard, options)
    expect(fs.existsSync(log)).toBe(false)
  })

  test('only what is missing is installed', async () => {
    const { options, log } = stage('echo "ran: $*"')
    expect(await installPackages(standard, options)).toBe('installed libffi-dev')
    expect(fs.readFileSync(log, 'utf8')).toMatch(/ran: .*install -y --no-install-recommends libffi-dev\n/)
  })

  test('any of several alternatives will do', () => {
    const wanted = requiredPackages(standard)
    expect(missingPackages(wanted, allBut('pkg-config'))).toEqual([])
    expect(missingPackages(['pkg-config|pkgconf'], () => new Set())).toEqual(['pkg-config|pkgconf'])
  })

  test('of several alternatives the first that the release has is installed', async () => {
    const { folder, options, log } = stage('echo "ran: $*"', (names) => {
      return new Set(names.filter((name) => !/^clang-1[789]$/.test(name)))
    })
    script(folder, 'apt-cache', 'printf "clang-19:\\n  Candidate: (none)\\nclang-18:\\n  Candidate: 18.1\\n"')
    expect(await installPackages(standard, options)).toBe('installed clang-18')
    expect(fs.readFileSync(log, 'utf8')).toMatch(/ran: .*install -y --no-install-recommends clang-18\n/)
  })

  test('the disassembler and the kernel lab are for tests', () => {
    const names = (options) =>
      requiredPackages(standard, { release: { VERSION_ID: '12' }, ...options }).filter((name) =>
        /qemu|bpftool|llvm|virtio|iproute/.test(name),
      )
    expect(names({})).toEqual([])
    expect(names({ tests: true })).toEqual(['llvm-19|llvm-18|llvm-17'])
    expect(names({ tests: true, lab: true })).toEqual([
      'llvm-19|llvm-18|llvm-17',
      'qemu-system-x86',
      'bpftool',
      'iproute2',
    ])
    expect(names({ lab: true, release: { VERSION_ID: '13' } })).toEqual([
      'qemu-system-x86',
      'bpftool',
      'iproute2',
      'virtiofsd',
    ])
    // testing and unstable have no number.
    expect(names({ lab: true, release: {} })).toContain('virtiofsd')
  })

  test('the real query knows an essential package and not an invented one', () => {
    expect(missingPackages(['dpkg', 'no-such-package-of-ours'])).toEqual(['no-such-package-of-ours'])
  })

  test('the newest clang is insisted on by the hardened profile only', () => {
    expect(requiredPackages(hardened)).toContain('clang-19')
    expect(requiredPackages(standard)).not.toContain('clang-19')
  })

  test('an ordinary user is told the exact command', async () => {
    const { folder, options } = stage('exit 9')
    const env = { PATH: folder }
    const install = 'apt-get install -y --no-install-recommends libffi-dev'
    const refused = () => installPackages(standard, { ...options, env, privileges: () => undefined })
    const alone = await failureOf(refused)
    expect(alone.code).toBe('PACKAGES')
    expect(alone.message).toMatch(new RegExp(`; run as root: apt-get update && ${install}$`))

    script(folder, 'sudo', 'exit 1')
    expect((await failureOf(refused)).message).toMatch(new RegExp(`; run: sudo apt-get update && sudo ${install}$`))
  })

  test('without a network the failure says so and names the log', async () => {
    const { options, log } = stage('echo "E: Failed to fetch: Temporary failure resolving the host" >&2; exit 100')
    const failure = await failureOf(() => installPackages(standard, options))
    expect(failure.code).toBe('NETWORK')
    expect(failure.line).toBe(
      `set-up failed: apt-get update can't reach the distribution's repository: is the network up? (log: ${log})`,
    )
  })

  test.each([
    ['E: Failed to fetch http://m.example/a.deb  Hash Sum mismatch', 'UNVERIFIED', 'Hash Sum mismatch'],
    ["E: The repository 'http://m.example bookworm InRelease' is not signed.", 'UNVERIFIED', 'is not signed'],
    ['W: GPG error: http://m.example: public key is not available: NO_PUBKEY 1234', 'UNVERIFIED', 'NO_PUBKEY'],
    ['E: Failed to fetch http://m.example/a.deb  404  Not Found [IP: 192.0.2.1 80]', 'GONE', 'answered 404 Not Found:'],
    ['E: Failed to fetch http://m.example/a.deb  Could not connect to m.example:80', 'NETWORK', 'is the network up?'],
  ])('%s', (text, code, part) => {
    const failure = aptFailure('install', text, '/l')
    expect(failure.code).toBe(code)
    expect(failure.message).toContain(part)
  })

  test('a full disk is told from other failures', async () => {
    const { options } = stage('echo "dpkg: error: No space left on device" >&2; exit 100')
    expect(await failureOf(() => installPackages(standard, options))).toMatchObject({ code: 'DISK' })
  })

  test("apt's own last error is in the line otherwise", async () => {
    const { options } = stage('echo "E: Sub-process dpkg returned an error code (1)" >&2; exit 100')
    const failure = await failureOf(() => installPackages(standard, options))
    expect(failure.message).toBe('apt-get update failed: Sub-process dpkg returned an error code (1)')
  })

  test('a release that lacks a package is told by its name', async () => {
    const { folder, options } = stage('exit 0', allBut('clang-19'))
    script(folder, 'apt-cache', 'printf "clang-19:\\n  Candidate: (none)\\n"')
    const failure = await failureOf(() => installPackages(hardened, options))
    expect(failure.message).toContain('this distribution has no package clang-19')
  })
})

describe('compilers', () => {
  test('one that is not in PATH is named', async () => {
    const env = { PATH: temporaryFolder() }
    expect(await failureOf(() => checkCompilers(standard, env))).toMatchObject({
      code: 'COMPILER',
      message: 'no compiler: gcc is not in PATH',
    })
  })

  test('one that does not run is named', async () => {
    const folder = temporaryFolder()
    script(folder, 'gcc', 'exit 1')
    script(folder, 'g++', 'exit 1')
    const failure = await failureOf(() => checkCompilers(standard, { PATH: folder }))
    expect(failure.message).toBe('the compiler gcc does not run')
  })
})
