/** Something a guest tried that its policy denied. Its own Python saw the plain error of the operating system. */
export interface Denial {
  /** `call`: a system call that no guest has, told by an enforcer in the kernel. */
  readonly operation: 'read' | 'write' | 'exec' | 'connect' | 'bind' | 'sendto' | 'socket' | 'resolve' | 'call'
  /** A path as the guest sees it, a target (`tcp://192.0.2.1:443`, `unix:///run/x`), a host name, or a kind of socket. */
  readonly object: string
  /** The name that the guest resolved to the address in `object`, if it did. */
  readonly name: string | undefined
  /** The rule that decided, and the line it was written on; `undefined` when none fitted. */
  readonly rule: DenialRule | undefined
  /** The policy in force, by name, and how often it had been replaced: 1 for the one the sandbox was spawned with. */
  readonly policy: string
  readonly generation: number
  /** What the guest saw, such as `EACCES`; `undefined` when nothing was enforced (`learn`). */
  readonly errno: string | undefined
  /** Denials of this sandbox that were left out since the last one: beyond 100 a second they are only counted. */
  readonly lost: number
  /** What the policy says; true only in a sandbox that learns, where everything is reported. */
  readonly allowed: boolean
}

export interface DenialRule {
  readonly number: number
  /** Such as `fs.deny`. */
  readonly section: string
  /** As it was written, in its normal form. */
  readonly text: string
  readonly file: string
  readonly line: number
}
