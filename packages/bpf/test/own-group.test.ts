import { describe, expect, test } from 'vitest'
import { UnsupportedError } from '../src/index.js'
import { groupFolder } from '../src/internal/own-group.js'

const requirement = { feature: 'bpf-bandwidth', minimumKernel: '5.12', instead: 'nothing' }
const v1 = '31 25 0:27 / /sys/fs/cgroup/memory rw,nosuid shared:9 - cgroup cgroup rw,memory'
const v2 = (root: string, folder: string) =>
  `35 25 0:30 ${root} ${folder} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate`
const folder = (cgroup: string, ...mounts: string[]) => groupFolder(cgroup, mounts.join('\n'), requirement)

describe('the control group of a process', () => {
  test.each([
    [
      'version 2 alone',
      '0::/user.slice/a.service\n',
      [v2('/', '/sys/fs/cgroup')],
      '/sys/fs/cgroup/user.slice/a.service',
    ],
    ['beside version 1', '4:memory:/x\n0::/\n', [v1, v2('/', '/sys/fs/cgroup/unified')], '/sys/fs/cgroup/unified'],
    ['a mount that shows a part', '0::/docker/1/app\n', [v2('/docker/1', '/sys/fs/cgroup')], '/sys/fs/cgroup/app'],
    ['a folder with a space', '0::/a\n', [v2('/', '/my\\040groups')], '/my groups/a'],
  ])('%s', (_, cgroup, mounts, expected) => {
    expect(folder(cgroup, ...mounts)).toBe(expected)
  })

  test.each([
    ['version 1 alone', '4:memory:/x\n', [v1]],
    ['version 2 that is not mounted', '0::/a\n', [v1]],
    ['one above a namespace', '0::/../other\n', [v2('/', '/sys/fs/cgroup')]],
    ['one beside what is mounted', '0::/docker/2\n', [v2('/docker/1', '/sys/fs/cgroup')]],
  ])('%s can’t be had', (_, cgroup, mounts) => {
    let thrown: unknown
    try {
      folder(cgroup, ...mounts)
    } catch (error) {
      thrown = error
    }
    expect(UnsupportedError.isInstance(thrown) && [thrown.feature, thrown.minimumKernel]).toEqual([
      'bpf-bandwidth',
      '5.12',
    ])
  })
})
