export { createNativeAead, type NativeAeadOptions } from './aead.js'
export type { NativeEngineOptions } from './engine.js'
export { createNativeEngine } from './engine.js'
export { type CgroupController, CgroupError } from './errors/cgroup-error.js'
export { EngineOptionError } from './errors/engine-option-error.js'
export { IoClosedError } from './errors/io-closed-error.js'
export { IoError } from './errors/io-error.js'
export { IoTimeoutError } from './errors/io-timeout-error.js'
export { IoUnavailableError } from './errors/io-unavailable-error.js'
export { KeyRestoredError } from './errors/key-restored-error.js'
export { SystemError } from './errors/system-error.js'
export { type CgroupOptions, type Cgroups, openCgroups } from './internal/cgroups/cgroups.js'
export type { CgroupLimits } from './internal/cgroups/limits.js'
export type { CgroupReport } from './internal/cgroups/open-trees.js'
export type { SandboxGroup, ThreadGroup, ThreadLimits } from './internal/cgroups/sandbox-group.js'
export type { CgroupUsage } from './internal/cgroups/usage.js'
export type { IoDatagram, IoDatagrams } from './internal/io/datagrams.js'
export type { IoFile } from './internal/io/file.js'
export type { IoListener } from './internal/io/listener.js'
export type { OperationOptions } from './internal/io/port.js'
export type { IoStream } from './internal/io/stream.js'
export type { PythonHome } from './internal/locate.js'
export type { ZygoteEvent } from './internal/zygote.js'
export {
  createIo,
  type Io,
  type IoAddress,
  type IoBackend,
  type IoOptions,
  type IoStats,
  type ListenOptions,
  type OpenFlags,
} from './io.js'
export { type EngineBuild, type HostReport, type KernelReport, probeHost, type Trial } from './probe.js'
