import type { EngineBuild, HostReport, KernelReport, Trial } from '@pyisolate/native'
import { describe, expect, it } from 'vitest'
import { bpfFindings } from '../../src/doctor/bpf-findings.js'
import type { Finding } from '../../src/doctor/finding.js'
import { countList, kernelFinding, numaFinding } from '../../src/doctor/host-findings.js'
import { kernelFindings } from '../../src/doctor/kernel-findings.js'
import { partFindings } from '../../src/doctor/part-findings.js'
import { fakeFiles } from './fake-files.js'

const ok: Trial = { ok: true }
const eperm = (step: string): Trial => ({ ok: false, step, error: 'EPERM' })

const best: KernelReport = {
  rights: { uid: 0, sysAdmin: true, bpf: true },
  landlock: { abi: 7, denies: ok },
  seccomp: { filter: ok, notification: ok, killableWait: ok },
  bpf: { load: ok, cgroup: ok, lsm: ok },
  ioUring: ok,
  namespaces: { user: ok, pid: ok, mount: ok, ipc: ok, net: ok },
  pidfd: ok,
  sealedMemory: ok,
}
const build: EngineBuild = {
  compiler: 'gcc 12',
  pie: true,
  relro: true,
  bindNow: true,
  executableStack: false,
  stackProtector: true,
  branchProtection: true,
  fortify: 3,
}

function find(findings: readonly Finding[], id: string): Finding {
  return findings.find((finding) => finding.id === id)!
}
const kernelOf = (change: Partial<KernelReport>, id: string, texts: Record<string, string> = {}): Finding =>
  find(kernelFindings({ ...best, ...change }, fakeFiles(texts)), id)
const bpfOf = (change: Partial<KernelReport>, id: string, texts: Record<string, string> = {}): Finding =>
  find(bpfFindings({ ...best, ...change }, fakeFiles(texts)), id)

it('is content with the best of hosts', () => {
  const all = [...kernelFindings(best, fakeFiles({})), ...bpfFindings(best, fakeFiles({}))]
  expect(all.filter(({ state }) => state !== 'ok')).toEqual([])
})

describe('Landlock', () => {
  it('names what an ABI gives and what the next one would add', () => {
    expect(kernelOf({ landlock: { abi: 3, denies: ok } }, 'landlock')).toMatchObject({
      state: 'partly',
      found: 'ABI 3: file access, links and renames across folders, truncation',
      remedy: 'kernel 6.7 adds TCP ports',
    })
  })
  it('knows of later ones that there is more', () => {
    expect(kernelOf({ landlock: { abi: 9, denies: ok } }, 'landlock').found).toMatch(/^ABI 9: .* and more$/)
  })
  it('counts one that denies nothing as missing', () => {
    const denies: Trial = { ok: false, step: 'it denies nothing', error: 'EOPNOTSUPP' }
    expect(kernelOf({ landlock: { abi: 7, denies } }, 'landlock')).toMatchObject({
      state: 'missing',
      need: 'essential',
    })
    expect(kernelOf({ landlock: { abi: 0, denies } }, 'landlock')).toMatchObject({ state: 'missing' })
  })
})

describe('BPF', () => {
  const none = { load: eperm('load'), cgroup: eperm('load'), lsm: eperm('load') }
  it('is unknown without the privileges to try it', () => {
    const rights = { uid: 1000, sysAdmin: false, bpf: false }
    expect(bpfOf({ rights, bpf: none }, 'bpf-lsm')).toMatchObject({
      state: 'unknown',
      found: expect.stringContaining("can't be tried without privileges"),
      remedy: expect.stringContaining('as root'),
    })
  })
  it('is missing where the host refuses it to root', () => {
    expect(bpfOf({ bpf: none }, 'bpf-lsm')).toMatchObject({ state: 'missing', found: 'EPERM (load)' })
  })
  it('names the boot parameter when a program is attached and nothing comes of it', () => {
    const lsm: Trial = { ok: false, step: 'it denies nothing', error: 'EOPNOTSUPP' }
    const texts = { '/sys/kernel/security/lsm': 'landlock,yama' }
    expect(bpfOf({ bpf: { ...best.bpf, lsm } }, 'bpf-lsm', texts).remedy).toBe(
      'bpf in the lsm= boot parameter (now: landlock,yama)',
    )
  })
})

describe('namespaces and io_uring', () => {
  it('names the switch that forbids user namespaces', () => {
    const namespaces = { ...best.namespaces, user: eperm('use of its capabilities') }
    const texts = { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1' }
    expect(kernelOf({ namespaces }, 'namespaces', texts)).toMatchObject({
      state: 'partly',
      found: 'user: EPERM (use of its capabilities)',
      remedy: expect.stringContaining('kernel.apparmor_restrict_unprivileged_userns=0'),
    })
  })
  it('names the switch that forbids io_uring', () => {
    const texts = { '/proc/sys/kernel/io_uring_disabled': '2' }
    expect(kernelOf({ ioUring: eperm('io_uring_setup') }, 'io-uring', texts)).toMatchObject({
      state: 'missing',
      remedy: 'sysctl kernel.io_uring_disabled=0',
    })
  })
})

describe('the host', () => {
  it('needs kernel 5.13 and a known machine', () => {
    expect(kernelFinding('5.10.0-28-amd64', 'x64')).toMatchObject({ state: 'missing', remedy: 'kernel 5.13 or later' })
    expect(kernelFinding('6.1.0', 'arm64').state).toBe('ok')
    expect(kernelFinding('6.1.0', 'ia32').state).toBe('missing')
  })
  it('counts NUMA nodes', () => {
    expect(countList('0-3,8')).toBe(5)
    expect(numaFinding(fakeFiles({ '/sys/devices/system/node/online': '0-1' })).found).toMatch(/^2 nodes, /)
  })
})

describe('its own parts', () => {
  const host: HostReport = {
    engine: { path: '/e', build },
    addon: { path: '/a', napi: 9, protocol: 0 },
    python: { prefix: '/p', stdlib: '/p/lib' },
    kernel: best,
  }
  const python = { version: '3.13.5', freeThreaded: true }
  it('is content with a sound build', () => {
    const findings = partFindings(host, { enforcement: [], ms: 1, python })
    expect(findings.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok'])
  })
  it('names the protections that a build lacks', () => {
    const weak = { ...host, engine: { path: '/e', build: { ...build, bindNow: false, fortify: 2 } } }
    expect(find(partFindings(weak, { enforcement: [] }), 'engine')).toMatchObject({
      state: 'partly',
      found: expect.stringContaining('without full RELRO, FORTIFY_SOURCE=3'),
    })
  })
  it('never passes an engine for tests off as one', () => {
    const unconfined = { ...host, engine: { path: '/e', build: { ...build, unconfined: true } } }
    expect(find(partFindings(unconfined, { enforcement: [] }), 'engine')).toMatchObject({ state: 'missing' })
  })
  it('says what is missing when there is no engine', () => {
    const findings = partFindings(new Error('there is no engine'), { enforcement: [], problem: 'none' })
    expect(findings.map(({ id, state }) => [id, state])).toEqual([
      ['engine', 'missing'],
      ['addon', 'unknown'],
      ['interpreter', 'unknown'],
    ])
  })
})
