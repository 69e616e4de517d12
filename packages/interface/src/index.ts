export type { Aead, AeadKey } from './channel/aead.js'
export type { Channel } from './channel/channel.js'
export type { BrokerRequest, CellPlaces, Denial } from './engine/broker.js'
export type { Cell, CellExit, CellUsage } from './engine/cell.js'
export { DeadlineSlot } from './engine/cell.js'
export type { Enforcement, EnforcementEntry } from './engine/enforcement.js'
export type {
  Attachment,
  Enforcer,
  EnforcerEvent,
  KernelSection,
  Prepared,
  SandboxTarget,
  SocketCount,
  SocketMark,
} from './engine/enforcer.js'
export type { CellLimits, Engine, EngineStats, Isolation, LimitReached, SpawnRequest } from './engine/engine.js'
export type { Frame } from './engine/frame.js'
export { FrameType, INIT_ID, UNANSWERED_ID } from './engine/frame.js'
export {
  type HookName,
  hookNames,
  type KernelContract,
  type KernelFileRule,
  type KernelNetRule,
  type KernelPolicy,
  type KernelUnixRule,
  type Unenforced,
} from './engine/kernel-policy.js'
export type {
  CellServices,
  ServiceAddress,
  ServiceDatagrams,
  ServiceFile,
  ServiceListener,
  ServiceOptions,
  ServiceStream,
} from './engine/services.js'
export { EngineClosedError } from './errors/engine-closed-error.js'
export { EngineMissingError } from './errors/engine-missing-error.js'
export { nearest } from './errors/nearest.js'
export type { ErrorCode } from './errors/pyisolate-error.js'
export { hasCode, PyIsolateError } from './errors/pyisolate-error.js'
export { RefusedError } from './errors/refused-error.js'
export { SpawnError } from './errors/spawn-error.js'
export type { MetricsSink } from './metrics/metrics-sink.js'
export { inUnits, sizeUnits, timeUnits } from './values/units.js'
