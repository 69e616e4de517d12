import { describe, expect, it } from 'vitest'
import { compileLimits, compilePolicy } from '../../src/index.js'

const limits = (text: string) => compilePolicy(`version: 1\nlimits: {${text}}`)

describe('the target for limits', () => {
  it('has each limit in the unit of who keeps it', () => {
    const policy = limits(
      'memory: 256MiB, cpu: 50%, cpuTime: 1500ms, wallTime: 10min, processes: 2, threads: 16, openFiles: 64, fileSize: 1kB, output: 16MiB, bandwidthIn: 10MiB/s, bandwidthOut: 1kB/s, messages: 5',
    )
    expect(compileLimits(policy)).toEqual({
      rlimits: {
        RLIMIT_CPU: 2,
        RLIMIT_DATA: 268_435_456,
        RLIMIT_NOFILE: 64,
        RLIMIT_FSIZE: 1000,
        RLIMIT_NPROC: 17,
      },
      cgroup2: {
        'memory.max': '268435456',
        'memory.swap.max': '0',
        'memory.oom.group': '1',
        'cpu.max': '50000 100000',
        'pids.max': '17',
      },
      cgroup1: {
        memory: { 'memory.limit_in_bytes': '268435456', 'memory.memsw.limit_in_bytes': '268435456' },
        cpu: { 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '50000' },
        pids: { 'pids.max': '17' },
      },
      supervisor: { wallTime: 600_000, cpuTime: 1500, output: 16_777_216, messages: 5 },
      bandwidth: { in: 10_485_760, out: 1000 },
      processes: 2,
    })
  })

  it('limits nothing that a policy does not limit', () => {
    expect(compileLimits(compilePolicy('version: 1'))).toEqual({
      rlimits: {},
      cgroup2: {},
      cgroup1: { memory: {}, cpu: {}, pids: {} },
      supervisor: {},
      bandwidth: {},
    })
  })

  it("leaves the cell's own needs out of the guest's", () => {
    const { rlimits, cgroup2 } = compileLimits(limits('memory: 1MiB, threads: 1'), { memory: 4096, threads: 3 })
    expect([rlimits.RLIMIT_DATA, rlimits.RLIMIT_NPROC]).toEqual([1_048_576, 4])
    expect([cgroup2['memory.max'], cgroup2['pids.max']]).toEqual(['1052672', '4'])
  })

  it.each([
    ['29%', '29000 100000'],
    ['1%', '1000 100000'],
    ['102400%', '102400000 100000'],
    ['12.3456%', '12346 100000'],
  ])('a share of %s is %s', (share, file) => {
    expect(compileLimits(limits(`cpu: ${share}`)).cgroup2['cpu.max']).toBe(file)
  })
})
