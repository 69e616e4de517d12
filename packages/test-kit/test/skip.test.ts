import { describe, expect, it, vi } from 'vitest'
import { presenceOf, skipUnless, UnjustifiedSkipError } from '../src/index.js'

describe('skipUnless', () => {
  const isRoot = process.getuid?.() === 0

  it('runs what can run', () => {
    const skip = vi.fn()
    skipUnless({ skip }, 'node-20', 'any Node will do')
    expect(skip).not.toHaveBeenCalled()
  })

  it('skips what the host really lacks', () => {
    const skip = vi.fn()
    skipUnless({ skip }, 'node-999', 'far future')
    expect(skip).toHaveBeenCalledWith(expect.stringContaining('far future'))
  })

  it('fails a skip that the host does not justify', () => {
    expect(() => skipUnless({ skip: vi.fn() }, 'node-20', 'wrongly', false)).toThrow(UnjustifiedSkipError)
    if (isRoot) expect(() => skipUnless({ skip: vi.fn() }, 'root', 'wrongly', false)).toThrow(/effective user is 0/)
  })

  it('names its evidence', () => {
    for (const feature of ['root', 'landlock', 'seccomp', 'user-namespaces', 'cgroup-v2', 'kvm'] as const) {
      expect(presenceOf(feature).evidence).not.toBe('')
    }
  })
})
