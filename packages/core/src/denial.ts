/** Something a guest tried that its policy denied. Its own Python saw the plain error of the operating system. */
export interface Denial {
  /**
   * `exec`: of a program, which no cell does. `call`: a system call that no rule on files or the network is about.
   * `import`: of a module. `limit`: one was reached; that it is told means that it held. One that the guest lives on with
   * is told about once a second.
   */
  readonly operation:
    | 'read'
    | 'write'
    | 'exec'
    | 'connect'
    | 'bind'
    | 'sendto'
    | 'socket'
    | 'resolve'
    | 'call'
    | 'import'
    | 'limit'
  /**
   * A path as the guest sees it, a target (`tcp://192.0.2.1:443`, `unix:///run/x`), a host name, a kind of socket, a
   * system call, a module, or a limit such as `openFiles`.
   */
  readonly object: string
  /** The name that the guest resolved to the address in `object`, if it did. */
  readonly name: string | undefined
  /** The rule that decided, and the line it was written on; `undefined` when none fitted. */
  readonly rule: DenialRule | undefined
  /** The policy in force, by name, and how often it had been replaced: 1 for the one the sandbox was spawned with. */
  readonly policy: string
  readonly generation: number
  /**
   * What the guest saw, such as `EACCES`, or the exception that Python has instead of one, such as `ImportError`;
   * `undefined` when nothing was enforced (`learn`), and when a limit ended it or, as `cpu` and bandwidth do, only has it wait.
   */
  readonly errno: string | undefined
  /**
   * Denials of this sandbox that were left out since the last one: beyond 100 a second, and of one limit beyond one, they
   * are only counted. Those of limits that the guest's side tells are counted by it; of bandwidth they are
   * packets that were dropped.
   */
  readonly lost: number
  /**
   * `guest`: its own side of this program says so, to explain an error. Native code in the guest can keep that back or
   * make it up, and what it is about is no boundary, or is held by somebody else who does not tell.
   */
  readonly toldBy: 'supervisor' | 'guest'
  /** What the policy says; true only in a sandbox that learns, where everything is reported. */
  readonly allowed: boolean
}

export interface DenialRule {
  /** `undefined` for a limit. */
  readonly number: number | undefined
  /** Such as `fs.deny`. */
  readonly section: string
  /** As it was written, in its normal form. */
  readonly text: string
  readonly file: string
  readonly line: number
}
