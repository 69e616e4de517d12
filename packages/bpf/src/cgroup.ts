import { closeSync, constants, openSync, statSync } from 'node:fs'
import type { BpfEvent } from './events.js'
import { calling, loadAddon, objectFile } from './internal/addon.js'
import { encode, layouts } from './internal/layout.js'
import { opening } from './internal/opening.js'
import { PolicyPrograms } from './internal/policy-programs.js'
import { rateOf, usageAt } from './internal/rates.js'
import type { SandboxCounters } from './internal/sandboxes.js'
import type { Label } from './lsm.js'
import type { BpfPolicy, Unenforced } from './policy.js'

export const cgroupRequirement = {
  feature: 'bpf-cgroup',
  minimumKernel: '5.18',
  instead: 'seccomp with the broker',
} as const

const programs = ['connect4', 'connect6', 'sendmsg4', 'sendmsg6', 'bind4', 'bind6', 'sock_create', 'ingress', 'egress']
/** Bytes a second, of IP packets with their headers; none: no limit. */
export interface CgroupLimits {
  readonly bytesInPerSecond?: number
  readonly bytesOutPerSecond?: number
  /** Bytes that may pass at once after silence. Default: a tenth of a second's; at least 128 KiB either way. */
  readonly burst?: number
}

export interface CgroupMeter {
  readonly bytesIn: bigint
  readonly bytesOut: bigint
  readonly droppedIn: bigint
  readonly droppedOut: bigint
}

/**
 * Programs on control groups (v2): rules on addresses for kernels without BPF LSM, from the same maps, and a limit on
 * what sockets carry. A socket belongs to the group of the task that made it, for good. Only a policy's `nets` are kept.
 */
export interface CgroupPrograms extends Disposable {
  /** As of `LsmPrograms`. @throws BpfMisuseError, BpfError */
  putPolicy(slot: number, policy: BpfPolicy): readonly Unenforced[]
  /**
   * Puts all that runs in a group, and in groups below it, into a sandbox. From here until `close`.
   * @throws BpfMisuseError, BpfError
   */
  attach(folder: string, label: Label, limits?: CgroupLimits): void
  swap(sandbox: bigint, slot: number): number
  /** What is left of it is denied every address. */
  remove(sandbox: bigint): void
  counters(sandbox: bigint): SandboxCounters
  meter(folder: string): CgroupMeter
  events(most?: number): readonly BpfEvent[]
  close(): void
}

/** Loads the programs, past the kernel's verifier. @throws UnsupportedError, BpfError */
export function loadCgroup(): CgroupPrograms {
  const addon = loadAddon()
  return new Cgroup(opening(cgroupRequirement, () => new addon.Programs(objectFile('cgroup'), [])))
}

class Cgroup extends PolicyPrograms implements CgroupPrograms {
  override putPolicy(slot: number, { nets, logOnly = false }: BpfPolicy): readonly Unenforced[] {
    return super.putPolicy(slot, { files: [], nets, unixes: [], contractPaths: [], logOnly })
  }

  attach(folder: string, { sandbox, slot }: Label, limits: CgroupLimits = {}): void {
    const { bytesInPerSecond, bytesOutPerSecond, burst } = limits
    const meter = (rate: number | undefined): Buffer => encode('pyi_meter', { rate: rateOf(rate, burst) })
    const [into, out] = [meter(bytesInPerSecond), meter(bytesOutPerSecond)]
    this.slots.mustHold(slot)
    const index = this.sandboxes.add(sandbox, slot)
    const descriptor = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY)
    try {
      // Until the group's value is there it is all zeros, which denies.
      for (const program of programs) calling(() => this.native.attachCgroup(`pyi_${program}`, descriptor))
    } finally {
      closeSync(descriptor)
    }
    const value = encode('pyi_group', { sandbox, index, in: into, out })
    calling(() => this.native.update('groups', keyOf(folder), value))
  }

  meter(folder: string): CgroupMeter {
    const group = calling(() => this.native.lookup('groups', keyOf(folder)))
    const usage = (direction: 'in' | 'out') =>
      usageAt(group, layouts.pyi_group.fields[direction][0] + layouts.pyi_meter.fields.usage[0])
    const [into, out] = [usage('in'), usage('out')]
    return { bytesIn: into.bytes, bytesOut: out.bytes, droppedIn: into.dropped, droppedOut: out.dropped }
  }
}

/** A group's number in its file system is what the kernel knows it by. */
function keyOf(folder: string): Buffer {
  const key = Buffer.alloc(8)
  key.writeBigUInt64LE(statSync(folder, { bigint: true }).ino)
  return key
}
