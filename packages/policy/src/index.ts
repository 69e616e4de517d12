export type { CompiledPolicy } from './compile/compiled-policy.js'
export { type NumberedRule, noRule, numberedRules, type Section } from './compile/numbered-rules.js'
export type { Arithmetic, Comparison, Expression, Kind } from './contracts/ast.js'
export { holds, type Values } from './contracts/evaluate.js'
export type { Hook } from './contracts/operands.js'
export { type Place, PolicyError, type PolicyProblem } from './errors/policy-error.js'
export { PolicyTargetError } from './errors/policy-target-error.js'
export { type Explanation, explain } from './explain/explain.js'
export type { Operation } from './explain/operation.js'
export type { Variables } from './explain/variables.js'
export { compilePolicy, loadPolicy, type Resolve } from './load.js'
export type { Contract } from './schema/contract.js'
export type { FsSection, LimitsSection, NamesSection, NetSection } from './schema/policy-document.js'
export type { FileRule, NameRule, NetRule, Rule } from './schema/rules.js'
export { systemCallNames } from './syscalls/names.js'
export { type AuditTarget, compileAudit } from './targets/audit.js'
export { type BpfTarget, compileBpf } from './targets/bpf.js'
export { type BrokerRecords, type BrokerTableOptions, compileBrokerTable, type View } from './targets/broker-table.js'
export {
  compileLandlock,
  type InexactRule,
  type LandlockPorts,
  type LandlockRule,
  type LandlockTarget,
} from './targets/landlock.js'
export { type CellOverhead, type ControlFiles, compileLimits, type LimitsTarget } from './targets/limits.js'
export { readBrokerTable } from './targets/read-broker-table.js'
export type { FileRecord, NameRecord, NetRecord, UnixRecord } from './targets/rule-records.js'
export { compileSyscalls, type SyscallsTarget } from './targets/syscalls.js'
export { templateNames } from './templates.js'
export { type PathPattern, pathFault } from './values/path.js'
export type { Ports, Protocol, Target } from './values/target.js'
