import type { Readable } from 'node:stream'
import type { Enforcement, Isolation } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { EnforcerCounters } from './internal/policy/attachments.js'
import type { CallOptions, CodeOptions, ReceiveOptions } from './options.js'
import type { Outcome } from './outcome.js'
import type { Value } from './value.js'

export interface PolicyInForce {
  readonly name: string
  /** `undefined` for the built-in one. */
  readonly digest: string | undefined
  /** 1 for the one it was spawned with, one more for each reload. */
  readonly generation: number
}

/** What the guest had from `pyisolate.open`, `connect`, `listen` and `datagram`. */
export interface IoCounts {
  /** Requests so far, refused ones included, and bytes that it read or received, wrote or sent. */
  readonly ioOperations: number
  readonly ioBytesIn: number
  readonly ioBytesOut: number
  /** Files and sockets that it has open. */
  readonly ioOpen: number
}

export interface SandboxStats extends IoCounts {
  /** CPU time in milliseconds, and memory in KiB, of its process; of the whole cell in interpreter isolation. Zeros once it has ended. */
  readonly cpuMs: number
  readonly rssKiB: number
  readonly privateKiB: number
  /** Milliseconds since it was spawned. */
  readonly ageMs: number
  /** Calls that got an answer, and calls that wait for their turn. */
  readonly completedCalls: number
  readonly queuedCalls: number
  /** Values the guest has posted so far, and the encoded bytes (and 64 for each) that wait to be received. */
  readonly posted: number
  readonly unreadBytes: number
  /** stdout and stderr together. */
  readonly outputBytes: number
}

/**
 * A confined Python. Its calls run one after the other, in order. Each rejects with
 * - `GuestError`: the guest raised;
 * - `TimeoutError`: it took too long; with an `outcome`, the sandbox was ended for it;
 * - `SandboxClosedError`: the sandbox has ended;
 * - `ValueEncodingError`, `OptionError`: an argument is wrong, and nothing was sent;
 * - `signal.reason`: it was aborted.
 */
export interface Sandbox extends AsyncDisposable {
  readonly name: string
  readonly isolation: Isolation
  /** The shared cell's name; `undefined` in process isolation. */
  readonly cell: string | undefined
  /** The process, as this side numbers it. */
  readonly pid: number
  /** `busy`: a call runs. */
  readonly state: 'running' | 'busy' | 'closing' | 'closed'
  /** What confines it on this host, and what could not be had. */
  readonly enforcement: Enforcement
  /** The policy in force. */
  readonly policy: PolicyInForce
  /** What the guest prints, as text, from the start; kept up to `limits.output` until read. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** How it ended; never rejects. */
  readonly closed: Promise<Outcome>
  /** Runs statements in the guest's global namespace. `SystemExit` ends the sandbox. */
  exec(code: string, options?: CodeOptions): Promise<void>
  /** The value of an expression. The type is the caller's claim: the guest may answer with anything. */
  eval<T extends Value = Value>(expression: string, options?: CodeOptions): Promise<T>
  /** Calls a function of the guest's global namespace; dots reach attributes. */
  call<T extends Value = Value>(
    name: string,
    args?: readonly Value[],
    kwargs?: Readonly<Record<string, Value>>,
    options?: CallOptions,
  ): Promise<T>
  /**
   * For the guest's `recv()`. Resolves when there is room for more; wait for it when sending much. A guest has 256 KiB that it
   * hasn't received, or one larger message; what is beyond waits in this process, in order. A host function that waits for
   * more than that while its guest waits for the function ends with the call's deadline.
   */
  send(value: Value): Promise<void>
  /** The next value the guest has `post`ed, also after its end as long as one is left. */
  recv<T extends Value = Value>(options?: ReceiveOptions): Promise<T>
  /** What the guest posts, until it has ended and all is read, however it ended: see `closed`. */
  messages(options?: { readonly signal?: AbortSignal }): AsyncIterableIterator<Value>
  /**
   * Puts another policy in force: from the moment it resolves every call is decided by it, and none was ever decided by
   * neither. Connections and descriptors that the guest has stay its own; what this side has open for it (`pyisolate.open`,
   * `connect`, `listen`, `datagram`) and the new one denies ends. Without `policy`, it is `services` that is replaced. A policy that is wrong, that can't be enforced
   * or that differs in what was frozen when the sandbox was spawned (system calls, imports, most limits) is refused, and
   * the old one stays.
   * @throws PolicyError, UnenforceableError, ReloadError, SandboxClosedError
   */
  reload(policy: string | CompiledPolicy): Promise<void>
  /** Raises `KeyboardInterrupt` in the running call, if there is one. */
  interrupt(): void
  stats(): SandboxStats
  /**
   * What the supervisor's enforcers have counted in the kernel, by the enforcer's name and the policy language's:
   * `{ 'bpf-bandwidth': { bytes_in: 0n } }`. Still there once it has ended.
   */
  counters(): EnforcerCounters
  /** Interrupts what runs and ends the sandbox: in good order within 200 ms, else by force. Idempotent. */
  close(): Promise<Outcome>
}
