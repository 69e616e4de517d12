export { type BandwidthLimits, type BandwidthOptions, type BandwidthPrograms, loadBandwidth } from './bandwidth.js'
export { bpfBandwidth } from './bandwidth-enforcer.js'
export { type CgroupLimits, type CgroupMeter, type CgroupPrograms, loadCgroup } from './cgroup.js'
export { bpfLsm } from './enforcer.js'
export { BpfError } from './errors/bpf-error.js'
export { ContractRefusedError } from './errors/contract-refused-error.js'
export { BpfMisuseError } from './errors/misuse-error.js'
export { UnsupportedError } from './errors/unsupported-error.js'
export type { BpfEvent, BpfOperation, ContractEvent, DenialEvent, LimitEvent } from './events.js'
export type { SandboxCounters } from './internal/sandboxes.js'
export { type Label, type LsmPrograms, loadLsm } from './lsm.js'
export {
  type BpfContract,
  type BpfFileRule,
  type BpfNetRule,
  type BpfPolicy,
  type BpfUnixRule,
  type HookName,
  hookNames,
  type Unenforced,
} from './policy.js'
export { probe, type Support } from './probe.js'
export { unpin } from './unpin.js'
