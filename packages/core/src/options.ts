import type { Enforcer, Engine, Isolation } from '@pyisolate/interface'
import type { CompiledPolicy } from '@pyisolate/policy'
import type { Denial } from './denial.js'
import type { Duration, Limits, Size } from './limits.js'
import type { ControlOptions, PoliciesOptions } from './reloading.js'
import type { Value } from './value.js'

/**
 * A function the guest calls as `host.name(…)`. Positional arguments arrive as they are, keyword arguments,
 * if any, as one plain object after them. What it throws is raised in the guest, by name and message.
 * It runs with the full rights of this process: treat its arguments as hostile.
 */
// biome-ignore lint/suspicious/noExplicitAny: parameters are the guest's choice; a narrower type would only pretend
export type HostFunction = (...args: any[]) => Value | void | Promise<Value | void>

export interface SpawnOptions {
  /**
   * What the guest may do: a template's name (`'web_scraper'`), a path that is absolute or starts with a dot, or what
   * `@pyisolate/policy` compiled. Default `'stdlib.readonly'`, which the cell's own confinement keeps: the standard
   * library, read-only, and nothing else. With any other one the guest's calls on files and sockets are decided and
   * made by this process, and the policy can be replaced while it runs.
   */
  readonly policy?: string | CompiledPolicy
  /**
   * Without `policy`: what the guest may ask this process for by `pyisolate.open`, `connect`, `listen` and `datagram`, while
   * its cell stays confined to the standard library. It may rule files, sockets and names alone. Default: `'stdlib.readonly'`.
   * A sandbox with a `policy` is judged by that.
   */
  readonly services?: string | CompiledPolicy
  /**
   * Enforces nothing of the policy's rules on files and sockets, and reports every operation to `onDenied`: to find out
   * what a program needs. For code that is trusted; everything is done with the rights of this process. Default false.
   */
  readonly learn?: boolean
  /** Told what the guest tried and was denied. Beyond 100 a second they are only counted. */
  readonly onDenied?: (denial: Denial) => void
  /**
   * `process` (default): alone in a process. `interpreter`: one of many in a shared cell, for sandboxes that
   * trust each other: native code execution in one of them reaches the memory of all of them.
   */
  readonly isolation?: Isolation
  /** Name of the shared cell; implies `isolation: 'interpreter'`, whose default cell is `default`. */
  readonly cell?: string
  readonly limits?: Limits
  /** Modules imported before the sandbox exists, beside the supervisor's; each different set costs a zygote. */
  readonly preload?: readonly string[]
  /** Values bound by name in the guest's global namespace. */
  readonly inputs?: Readonly<Record<string, Value>>
  readonly functions?: Readonly<Record<string, HostFunction>>
  /** Gives the spawn up, at any stage. It has no effect on a running sandbox. */
  readonly signal?: AbortSignal
}

export interface SupervisorOptions {
  /** Modules that every sandbox has imported already. */
  readonly preload?: readonly string[]
  /** Blank, confined processes that wait to become a sandbox. */
  readonly pool?: {
    /** Default 2; 0 for none. */
    readonly size?: number
  }
  readonly interpreters?: {
    /** Blank interpreters that wait in each shared cell. Default 1. */
    readonly warm?: number
    /** Limits of each shared cell as a whole. Default: 4 GiB, 1024 threads, 4096 open files. */
    readonly memory?: Size
    readonly threads?: number
    readonly openFiles?: number
  }
  /** Absolute paths the guests may read beside the standard library. */
  readonly readPaths?: readonly string[]
  /** Absolute folders on the guests' `sys.path`; they may read them, too. */
  readonly modulePaths?: readonly string[]
  /** Size of each of a sandbox's two rings, a power of two from 4096. Larger frames travel in pieces. Default 65536. */
  readonly ringBytes?: number
  /** Where policies come from while it runs; `spawn` takes them by name. Default: templates and files alone. */
  readonly policies?: PoliciesOptions
  /** Lets `pyisolate policy reload` in, by token. Default: nobody. */
  readonly control?: ControlOptions
  /** Defaults for `spawn`. */
  readonly limits?: Limits
  /**
   * Hold sandboxes with a policy of their own to it in the kernel, too, such as `bpfLsm()` of `@pyisolate/bpf`. They stay
   * open when the supervisor closes. Where one can't, `spawn` rejects with what it throws. Default: none.
   */
  readonly enforcers?: readonly Enforcer[]
  /** Default: the engine of `@pyisolate/native`, closed with the supervisor. One given here stays open. */
  readonly engine?: Engine
}

/** Of `exec`, `eval` and `call`. */
export interface CallOptions {
  /** Not started yet: it never runs. Running: interrupted; ended if that doesn't help within 100 ms. Rejects with `signal.reason`. */
  readonly signal?: AbortSignal
  /** In place of `limits.callTime`. It starts with the call's turn, not in the queue. */
  readonly timeout?: Duration
}

export interface CodeOptions extends CallOptions {
  /** What tracebacks call the code. Default `<exec>` or `<eval>`. */
  readonly filename?: string
}

export interface ReceiveOptions {
  readonly signal?: AbortSignal
  /** Default: none. */
  readonly timeout?: Duration
}
