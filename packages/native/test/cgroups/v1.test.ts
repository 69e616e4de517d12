import { describe, expect, test } from 'vitest'

import { type ControlWrite, writesOf } from '../../src/internal/cgroups/control-writes.js'
import { findHierarchies } from '../../src/internal/cgroups/hierarchies.js'
import { kernelHost } from '../../src/internal/cgroups/host.js'
import { bandwidth, type CgroupLimits, DEFAULT_PERIOD } from '../../src/internal/cgroups/limits.js'

const hierarchies = (mountinfo: string, cgroup: string) =>
  findHierarchies({ ...kernelHost, read: (file) => (file.endsWith('mountinfo') ? mountinfo : cgroup) })

describe('which hierarchies there are', () => {
  test('hybrid: several controllers in one, a container’s part of one, one without controllers', () => {
    const found = hierarchies(
      `40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
39 31 0:36 / /mnt/with\\040blank rw - cgroup cgroup rw,pids
22 31 0:20 / /proc rw - proc proc rw`,
      '9:name=systemd:/\n8:pids:/with:colon\n4:memory:/docker/abc/x\n1:cpu,cpuacct:/a/b\n0::/user.slice\n',
    )
    expect(found.map(({ version, own }) => [version, own])).toEqual([
      ['v1', '/sys/fs/cgroup/systemd'],
      ['v2', '/sys/fs/cgroup/unified/user.slice'],
      ['v1', '/sys/fs/cgroup/cpu,cpuacct/a/b'],
      ['v1', '/sys/fs/cgroup/memory/x'],
      ['v1', '/mnt/with blank/with:colon'],
    ])
    expect(found[2]!.controllers).toEqual(['rw', 'cpu', 'cpuacct'])
  })

  test('a mount that does not show this process’s group comes last', () => {
    const found = hierarchies(
      `41 31 0:38 /other /elsewhere rw - cgroup2 cgroup2 rw
42 31 0:38 /.. /above rw - cgroup2 cgroup2 rw
43 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw`,
      '0::/mine\n',
    )
    expect(found.map(({ own }) => own)).toEqual(['/sys/fs/cgroup/mine', undefined, undefined])
    expect(hierarchies('43 31 0:38 / /c rw - cgroup2 cgroup2 rw', '0::/../sibling\n')[0]!.own).toBeUndefined()
  })
})

describe('the order of writes', () => {
  /** The share of a processor that the files allow after each write, by the kernel's own arithmetic. */
  function shares(now: CgroupLimits, next: CgroupLimits): number[] {
    let { quota, period } = now.cpu === undefined ? { quota: -1, period: DEFAULT_PERIOD } : bandwidth(now.cpu)
    return writesOf.v1.cpu(now, next, { swap: true, oomGroup: false }).map(([file, value]) => {
      if (file === 'cpu.cfs_quota_us') quota = Number(value)
      else period = Number(value)
      return quota < 0 ? Number.POSITIVE_INFINITY : quota / period
    })
  }
  const values = [0.001, 0.005, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.49, 0.5, 1, 8, 1024, undefined]

  test('from any share to any other it never allows more than both', () => {
    for (const from of values) {
      for (const to of values) {
        const most = Math.max(from ?? Number.POSITIVE_INFINITY, to ?? Number.POSITIVE_INFINITY)
        const after = shares({ cpu: from }, { cpu: to })
        for (const share of after) expect(share, `${from} to ${to}`).toBeLessThanOrEqual(most * 1.001)
        expect(after.at(-1), `${from} to ${to}`).toBeCloseTo(to ?? Number.POSITIVE_INFINITY, 3)
      }
    }
  })

  test('memory is never more than memory and swap together', () => {
    const sizes = [4096, 2 ** 20, 2 ** 30, undefined]
    for (const from of sizes) {
      for (const to of sizes) {
        let memory = from ?? Number.POSITIVE_INFINITY
        let both = memory
        const writes: readonly ControlWrite[] = writesOf.v1.memory(
          { memoryBytes: from },
          { memoryBytes: to },
          { swap: true, oomGroup: false },
        )
        for (const [file, value] of writes) {
          const bytes = value === '-1' ? Number.POSITIVE_INFINITY : Number(value)
          if (file === 'memory.limit_in_bytes') memory = bytes
          else both = bytes
          expect(memory, `${from} to ${to}`).toBeLessThanOrEqual(both)
        }
        expect([memory, both]).toEqual(Array(2).fill(to ?? Number.POSITIVE_INFINITY))
      }
    }
  })

  test('without an account of swap it is avoided', () => {
    const features = { swap: false, oomGroup: false }
    expect(writesOf.v1.memory({}, { memoryBytes: 8192 }, features)).toEqual([
      ['memory.swappiness', '0'],
      ['memory.limit_in_bytes', '8192'],
    ])
  })
})
