import { UnsupportedError } from './errors/unsupported-error.js'
import { loadLsm, lsmRequirement } from './lsm.js'

export interface Support {
  readonly feature: 'bpf-lsm'
  readonly supported: boolean
  /** Why not, or what was tried. */
  readonly evidence: string
  readonly minimumKernel: string
  readonly instead: string
}

/**
 * What this host's kernel does, found out by loading and attaching the programs: a kernel that lists BPF among its
 * security modules may refuse them all the same. Takes some milliseconds. @throws BpfError
 */
export function probe(): readonly Support[] {
  return [trial()]
}

function trial(): Support {
  const base = { feature: 'bpf-lsm', ...lsmRequirement } as const
  try {
    loadLsm().close()
    return { ...base, supported: true, evidence: 'every program was loaded and attached' }
  } catch (error) {
    if (!UnsupportedError.isInstance(error)) throw error
    return { ...base, supported: false, evidence: error.message }
  }
}
