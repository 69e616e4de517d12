import type { KernelPolicy, Unenforced } from './kernel-policy.js'

/**
 * Enforces policies in running sandboxes, beside what their engine does: `bpfLsm()` of `@pyisolate/bpf`, or one of your
 * own. Given to `createSupervisor`, it is for sandboxes with a policy.
 */
export interface Enforcer extends AsyncDisposable {
  /** As `sandbox.enforcement` names it. */
  readonly name: string
  /** What of a policy it keeps, but for what a prepared one says it can't. */
  readonly keeps: ReadonlySet<KernelSection>
  /**
   * Has the kernel verify and take a policy, so that putting it in force is one store. The same object is prepared once,
   * however often it is asked for. @throws a PyIsolateError where the host can't, or the policy is refused
   */
  prepare(policy: KernelPolicy): Prepared
  /** Lets go of all sandboxes and of the kernel's objects. Idempotent. */
  close(): Promise<void>
}

/** Parts of a policy that enforcers keep, by the policy language's names. */
export type KernelSection =
  | 'fs.read'
  | 'fs.write'
  | 'fs.exec'
  | 'fs.deny'
  | 'net.connect'
  | 'net.bind'
  | 'net.sendto'
  | 'net.deny'
  | 'contracts'
  | 'limits.bandwidthIn'
  | 'limits.bandwidthOut'

/** A policy that can be put in force at once. Disposed of when nobody wants to put it in force any more. */
export interface Prepared extends Disposable {
  readonly unenforced: readonly Unenforced[]
  /** From now on the sandbox, and whatever it starts, is held to it. @throws a PyIsolateError */
  attach(target: SandboxTarget): Attachment
}

export interface SandboxTarget {
  /** For people. */
  readonly name: string
  /** A thread, as this side's pid namespace numbers it: a process's own number is its first one. */
  readonly thread: number
  onEvent(event: EnforcerEvent): void
}

/**
 * How an enforcer knows a sandbox's sockets, whoever makes and whoever holds them: by a value in the socket
 * itself (BPF_MAP_TYPE_SK_STORAGE, Linux 5.2).
 */
export interface SocketMark {
  /** Descriptor of a map with BPF_F_CLONE, so that accepted sockets have the value, too; open as long as the attachment. */
  readonly map: number
  readonly value: Uint8Array
  /** Where it counts what these sockets have carried, if it does: contracts on calls that the engine makes judge by it. */
  readonly counted?: SocketCount
}

/** A record in a BPF array (BPF_MAP_TYPE_ARRAY) with two little endian words of eight bytes, each at its offset. */
export interface SocketCount {
  readonly map: number
  readonly index: number
  /** Bytes that were given to be sent, and payload that has arrived. */
  readonly sentAt: number
  readonly receivedAt: number
}

export interface Attachment extends Disposable {
  /** What the engine is to put into each socket that it makes for the sandbox. Absent: nothing. */
  readonly socketMark?: SocketMark
  /** By one store: an operation is decided by the old policy or by the new one. Returns its generation, from 1. */
  update(next: Prepared): number
  /** What was counted in the kernel since `attach`, by the policy language's names, such as `bytes_sent`. */
  counters(): Readonly<Record<string, bigint>>
}

/** What the kernel denied a sandbox, a contract of it that was broken, or a limit that was reached. */
export interface EnforcerEvent {
  /** Such as `open`, `connect`, `mmap`; `limit`, of the one that `object` names, such as `bandwidthOut`. */
  readonly operation: string
  readonly object: string
  /** Number of the rule that decided; `undefined` when none fitted, which denies. */
  readonly rule: number | undefined
  readonly generation: number
  /** Such as `EACCES`; `undefined` where it was let happen. */
  readonly error: string | undefined
  /** Denials of this sandbox that were left out since the last one, as they came too fast. */
  readonly lost: number
  /** A contract was broken whose action is to kill: the caller is to end the sandbox. */
  readonly kill: boolean
}
