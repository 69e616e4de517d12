import { describe, expect, test } from 'vitest'
import { BpfError, loadLsm, probe, UnsupportedError } from '../src/index.js'

describe('what a host supports is found out by loading', () => {
  const [lsm] = probe()

  test('BPF LSM is there and loads, or is refused for a reason that names the kernel’s answer', () => {
    expect(lsm?.feature).toBe('bpf-lsm')
    if (lsm?.supported) {
      loadLsm().close()
      return
    }
    let thrown: unknown
    try {
      loadLsm()
    } catch (error) {
      thrown = error
    }
    if (!UnsupportedError.isInstance(thrown)) throw thrown
    expect(thrown.message).toBe(lsm?.evidence)
    expect(thrown.minimumKernel).toBe('5.19')
    expect(thrown.instead).toBe('seccomp with the broker, and Landlock')
    const { cause } = thrown
    if (!BpfError.isInstance(cause)) throw cause
    // A hardened kernel's answer, and everybody's to those without the capabilities.
    expect([cause.error, thrown.code]).toEqual(['EPERM', 'ERR_PYISOLATE_UNSUPPORTED'])
    expect(thrown.message).toMatch(/^bpf-lsm: load: EPERM \(the kernel or a missing capability forbids it\); it needs/)
  })
})
