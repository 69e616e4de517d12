import type { EngineStats } from '@pyisolate/interface'
import type { ZygoteEvent } from '@pyisolate/native'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { Denial } from './denial.js'
import type { MintedToken, MintOptions, TokenUse } from './internal/reload/tokens.js'
import type { SpawnOptions } from './options.js'
import type { Outcome } from './outcome.js'
import type { PolicyStatus, ReloadOptions, ReloadResult } from './reloading.js'
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
  /** Policies were replaced, by whomever. */
  reload: [result: ReloadResult]
  /** The source of policies has changed its state. */
  policies: [status: PolicyStatus]
  /** A reload token was used, or tried. */
  token: [use: TokenUse]
  /** Something went wrong that nobody waits for, such as an answer on the control socket. */
  fault: [error: Error]
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
  /**
   * Puts a policy in force in running sandboxes: in each of them from its next call on. A sandbox that can't have it
   * keeps its own and is in `refused`; so does whatever runs under the built-in policy, which is no part of this.
   * @throws PolicyError, TokenError, OptionError (an unknown sandbox), SupervisorClosedError
   */
  reload(policy: string | CompiledPolicy, options?: ReloadOptions): Promise<ReloadResult>
  /** A secret with which others may reload: through `reload`, or the control socket. @throws OptionError */
  mintToken(options: MintOptions): MintedToken
  /** @returns whether there was such a token */
  revokeToken(id: string): boolean
  /** Of `options.policies`; `undefined` before it was looked at, or without it. */
  policyStatus(): PolicyStatus | undefined
  /** When `options.policies` has been looked at and `options.control` listens. @throws PolicySourceError, ControlError */
  ready(): Promise<void>
  /** Gives up spawns under way, closes every sandbox and then its engine. Idempotent. */
  close(): Promise<void>
  on<K extends keyof SupervisorEvents>(event: K, listener: (...args: SupervisorEvents[K]) => void): this
  once<K extends keyof SupervisorEvents>(event: K, listener: (...args: SupervisorEvents[K]) => void): this
  off<K extends keyof SupervisorEvents>(event: K, listener: (...args: SupervisorEvents[K]) => void): this
}
