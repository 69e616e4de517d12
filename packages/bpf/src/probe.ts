import { bandwidthRequirement, loadBandwidth } from './bandwidth.js'
import { cgroupRequirement, loadCgroup } from './cgroup.js'
import { UnsupportedError } from './errors/unsupported-error.js'
import type { Requirement } from './internal/opening.js'
import { loadLsm, lsmRequirement } from './lsm.js'

export interface Support {
  readonly feature: 'bpf-lsm' | 'bpf-cgroup' | 'bpf-bandwidth'
  readonly supported: boolean
  /** Why not, or what was tried. */
  readonly evidence: string
  readonly minimumKernel: string
  readonly instead: string
}

/**
 * What this host's kernel does, found out by loading the programs: a kernel that lists BPF among its security modules
 * may refuse them all the same. Takes some milliseconds. @throws BpfError
 */
export function probe(): readonly Support[] {
  return [
    trial('bpf-lsm', lsmRequirement, 'every program was loaded and attached', () => loadLsm().close()),
    trial('bpf-cgroup', cgroupRequirement, 'every program was loaded', () => loadCgroup().close()),
    trial('bpf-bandwidth', bandwidthRequirement, 'a packet passed every program', () => loadBandwidth().close()),
  ]
}

function trial(feature: Support['feature'], requirement: Requirement, evidence: string, attempt: () => void): Support {
  const base = { feature, minimumKernel: requirement.minimumKernel, instead: requirement.instead }
  try {
    attempt()
    return { ...base, supported: true, evidence }
  } catch (error) {
    if (!UnsupportedError.isInstance(error)) throw error
    return { ...base, supported: false, evidence: error.message }
  }
}
