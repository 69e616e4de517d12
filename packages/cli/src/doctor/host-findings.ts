import { arch, cpus, release, totalmem } from 'node:os'
import type { Finding } from './finding.js'
import type { HostFiles } from './host-files.js'

const oldest = [5, 13] as const

export function kernelFinding(version = release(), machine: string = arch()): Finding {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  const recent = major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
  const known = machine === 'x64' || machine === 'arm64'
  return {
    id: 'kernel',
    title: 'kernel',
    need: 'essential',
    state: recent && known ? 'ok' : 'missing',
    found: `Linux ${version}, ${machine}`,
    gives: 'everything below',
    ...(!recent && { remedy: `kernel ${oldest.join('.')} or later` }),
    ...(recent && !known && { remedy: 'a 64-bit x86 or ARM machine' }),
  }
}

/** `0-3,8` is five of them. */
export function countList(list: string): number {
  return list
    .split(',')
    .filter((range) => range !== '')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}

export function numaFinding(files: HostFiles): Finding {
  const online = files.text('/sys/devices/system/node/online')
  const nodes = online === undefined ? 1 : countList(online)
  const memory = `${(totalmem() / 2 ** 30).toFixed(1)} GiB`
  return {
    id: 'numa',
    title: 'NUMA',
    need: 'optional',
    state: 'ok',
    found: `${nodes} node${nodes === 1 ? '' : 's'}, ${cpus().length} processors, ${memory}`,
    gives: nodes === 1 ? 'nothing to place: all memory is equally near' : 'cells can be kept near their memory',
  }
}
