export {
  type Enforcement,
  type EnforcementEntry,
  type Engine,
  EngineClosedError,
  EngineMissingError,
  type EngineStats,
  type ErrorCode,
  type Isolation,
  PyIsolateError,
  RefusedError,
  SpawnError,
} from '@pyisolate/interface'
export type { ZygoteEvent } from '@pyisolate/native'
export type { CompiledPolicy } from '@pyisolate/policy'
export { createSupervisor } from './create-supervisor.js'
export type { Denial, DenialRule } from './denial.js'
export { GuestError, type GuestFrame } from './errors/guest-error.js'
export { NameInUseError } from './errors/name-in-use-error.js'
export { OptionError } from './errors/option-error.js'
export { ReloadError } from './errors/reload-error.js'
export { SandboxClosedError } from './errors/sandbox-closed-error.js'
export { SupervisorClosedError } from './errors/supervisor-closed-error.js'
export { TimeoutError } from './errors/timeout-error.js'
export { UnenforceableError, type UnenforceableRule } from './errors/unenforceable-error.js'
export { ValueEncodingError } from './errors/value-encoding-error.js'
export type { EnforcerCounters } from './internal/policy/attachments.js'
export { ControlError } from './internal/reload/control-error.js'
export type { TokenProblem } from './internal/reload/token-error.js'
export { TokenError } from './internal/reload/token-error.js'
export type { MintedToken, MintOptions, TokenUse } from './internal/reload/tokens.js'
export type { Duration, Limits, Size } from './limits.js'
export type {
  CallOptions,
  CodeOptions,
  HostFunction,
  ReceiveOptions,
  SpawnOptions,
  SupervisorOptions,
} from './options.js'
export type { Outcome, OutcomeData } from './outcome.js'
export type { ControlOptions, PoliciesOptions, PolicyStatus, ReloadOptions, ReloadResult } from './reloading.js'
export type { IoCounts, PolicyInForce, Sandbox, SandboxStats } from './sandbox.js'
export { spawn } from './spawn.js'
export type { Supervisor, SupervisorEvents } from './supervisor.js'
export type { TypedArrayValue, Value } from './value.js'
