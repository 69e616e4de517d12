import type { EngineStats } from '@pyisolate/interface'
import type { ZygoteEvent } from '@pyisolate/native'
import type { Denial } from './denial.js'
import type { SpawnOptions } from './options.js'
import type { Outcome } from './outcome.js'
import type { Sandbox } from './sandbox.js'

export interface SupervisorEvents {
  /** A sandbox runs. */
  spawn: [sandbox: Sandbox]
  /** A sandbox has ended. */
  exit: [sandbox: Sandbox, outcome: Outcome]
  /** A sandbox of this name tried what its policy denies. */
  denied: [sandbox: string, denial: Denial]
  /** The built-in engine's zygote has started or ended; one that dies is replaced, and its sandboxes live on. */
  zygote: [event: ZygoteEvent]
  /** The supervisor has closed. */
  close: []
}

/** Owns an engine and the sandboxes it starts. */
export interface Supervisor extends AsyncDisposable {
  /**
   * Starts a sandbox; resolves when it is confined and ready for code.
   * @throws OptionError, NameInUseError, SupervisorClosedError, ValueEncodingError (an input that can't cross),
   *   EngineMissingError, RefusedError, SpawnError, or `options.signal.reason`
   */
  spawn(name: string, options?: SpawnOptions): Promise<Sandbox>
  /** The living sandboxes, oldest first. */
  sandboxes(): Sandbox[]
  stats(): EngineStats
  /** Gives up spawns under way, closes every sandbox and then its engine. Idempotent. */
  close(): Promise<void>
  on<K extends keyof SupervisorEvents>(event: K, listener: (...args: SupervisorEvents[K]) => void): this
  once<K extends keyof SupervisorEvents>(event: K, listener: (...args: SupervisorEvents[K]) => void): this
  off<K extends keyof SupervisorEvents>(event: K, listener: (...args: SupervisorEvents[K]) => void): this
}
