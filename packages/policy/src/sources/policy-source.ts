import type { CompiledPolicy } from '../compile/compiled-policy.js'
import type { PolicyError } from '../errors/policy-error.js'
import type { PolicySourceError } from './policy-source-error.js'

/** A policy that a source has read, checked and compiled: ready to be put in force. */
export interface PolicyUpdate {
  /** Of a file: its name without the extension. Of a URL: the policy's own `name`. */
  readonly name: string
  readonly policy: CompiledPolicy
  /** Of files: SHA-256, in hex, over what they contained. Of a URL: the signed revision, in decimal. */
  readonly version: string
  /** The file or URL. */
  readonly from: string
}

export interface SourceStatus {
  /** The file, folder or URL. */
  readonly from: string
  /**
   * `starting`: not looked at yet. `current`: what was published last is what is there. `failing`: what is there can't
   * be used, or nobody can tell; the last good policies stay, and `error` says why. `missing`: it is gone, the rest as
   * with `failing`. `closed`: nobody looks any more.
   */
  readonly state: 'starting' | 'current' | 'failing' | 'missing' | 'closed'
  readonly lastChecked: Date | undefined
  /** When a policy was published last. */
  readonly lastChanged: Date | undefined
  readonly error: PolicyError | PolicySourceError | undefined
}

/**
 * Where policies come from while a program runs. What comes out of it has been read whole, checked and compiled; what
 * can't be is reported by `status()` and never comes out.
 *
 * As an async iterable it gives every policy it has and then each change; a reader that is slow misses what has been
 * replaced meanwhile, never the latest. Each `for await` is a reader of its own, and ends when the source is closed.
 */
export interface PolicySource<S extends SourceStatus = SourceStatus>
  extends AsyncIterable<PolicyUpdate>,
    AsyncDisposable {
  /** The last good policies, by name. */
  policies(): ReadonlyMap<string, PolicyUpdate>
  status(): S
  /** Calls `listener` when anything but `lastChecked` differs; the returned function ends that. */
  onStatus(listener: (status: S) => void): () => void
  /** Resolves when the source has been looked at once, whatever came of it. */
  ready(): Promise<S>
  /** Looks now; resolves when what was there at the call has been dealt with. */
  check(): Promise<S>
  /** Ends what is under way, and every reader. Idempotent; an abort of `options.signal` does the same. */
  close(): Promise<void>
}
