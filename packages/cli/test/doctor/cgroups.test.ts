import { expect, it } from 'vitest'
import { cgroupFinding, readCgroups } from '../../src/doctor/cgroups.js'
import { fakeFiles } from './fake-files.js'

const v2 = {
  '/proc/self/mountinfo': '30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate',
  '/proc/self/cgroup': '0::/user.slice/user-1000.slice/run.scope',
}
const own = '/sys/fs/cgroup/user.slice/user-1000.slice/run.scope'

it('finds the delegated controllers of cgroup v2', () => {
  const files = fakeFiles({ ...v2, [`${own}/cgroup.controllers`]: 'cpu memory pids' }, [own, `${own}/cgroup.procs`])
  expect(readCgroups(files)).toEqual({
    v2: { path: own, controllers: ['cpu', 'memory', 'pids'], writable: true },
    v1: [],
  })
  expect(cgroupFinding(files)).toMatchObject({ state: 'ok' })
})

it('says how to get what is not delegated', () => {
  const files = fakeFiles({ ...v2, [`${own}/cgroup.controllers`]: 'memory pids' }, [own])
  expect(cgroupFinding(files)).toMatchObject({
    state: 'missing',
    found: `v2 at ${own}: memory, pids, not writable`,
    remedy: expect.stringContaining('Delegate=yes'),
  })
})

it('tells the controllers of a hybrid host apart from its empty v2 tree', () => {
  const files = fakeFiles(
    {
      '/proc/self/mountinfo': [
        '31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
        '32 20 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
        '33 20 0:29 /box /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
      ].join('\n'),
      '/proc/self/cgroup': '4:cpu,cpuacct:/a\n3:memory:/elsewhere\n0::/',
    },
    ['/sys/fs/cgroup/cpu,cpuacct/a'],
  )
  expect(readCgroups(files)).toEqual({
    v2: { path: '/sys/fs/cgroup/unified', controllers: [], writable: false },
    v1: [
      { controller: 'cpu', path: '/sys/fs/cgroup/cpu,cpuacct/a', writable: true },
      // What is mounted is another part of the hierarchy.
      { controller: 'memory', path: '/sys/fs/cgroup/memory', writable: false },
    ],
  })
  expect(cgroupFinding(files)).toMatchObject({
    state: 'partly',
    found: 'v1: cpu, memory (not writable); v2 at /sys/fs/cgroup/unified without controllers',
  })
})

it('lives without any', () => {
  expect(cgroupFinding(fakeFiles({}))).toMatchObject({ state: 'missing', found: 'no controllers' })
})
