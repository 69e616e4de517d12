import { join } from 'node:path'

import type { CgroupController } from '../../errors/cgroup-error.js'
import { type ControlWrite, trialWrite } from './control-writes.js'
import { reason } from './failure.js'
import { type CgroupHost, unless } from './host.js'
import type { Reasons } from './tree.js'

/** Writes a value that changes nothing into a new group, for each controller; notes those that it fails for. */
export function tryLimits(
  host: CgroupHost,
  version: 'v1' | 'v2',
  folder: string,
  controllers: Iterable<CgroupController>,
  reasons: Reasons,
): Set<CgroupController> {
  const usable = new Set<CgroupController>()
  for (const controller of controllers) {
    const write: ControlWrite | undefined = trialWrite[version][controller]
    const file = join(folder, write?.[0] ?? 'cgroup.procs')
    try {
      if (write) host.write(file, write[1])
      usable.add(controller)
    } catch (cause) {
      reasons.set(controller, reason(file, cause))
    }
  }
  return usable
}

export function hasFile(host: CgroupHost, file: string): boolean {
  return unless(['ENOENT'], () => void host.read(file))
}

/** Writes to a control file; if that fails, says why. */
export function attemptWrite(host: CgroupHost, file: string, value: string): string | undefined {
  try {
    host.write(file, value)
    return undefined
  } catch (cause) {
    return reason(file, cause)
  }
}

/** Moves this process there and back: the kernel's word on whether cells may be moved. */
export function tryToMove(host: CgroupHost, there: string, back: string): string | undefined {
  const pid = String(host.pid)
  const why = attemptWrite(host, join(there, 'cgroup.procs'), pid)
  if (why !== undefined) return why
  return attemptWrite(host, join(back, 'cgroup.procs'), pid)
}
