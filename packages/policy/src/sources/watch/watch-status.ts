import type { PolicyError } from '../../errors/policy-error.js'
import type { SourceStatus } from '../policy-source.js'
import type { PolicySourceError } from '../policy-source-error.js'

/** One policy of a watched file or folder. */
export interface FileStatus {
  readonly name: string
  readonly file: string
  readonly state: 'current' | 'failing' | 'missing'
  /** Of the last good policy, if there was one. */
  readonly version: string | undefined
  readonly lastChanged: Date | undefined
  readonly error: PolicyError | PolicySourceError | undefined
}

export interface WatchStatus extends SourceStatus {
  /** By name. A file that was deleted stays here as `missing`. */
  readonly files: readonly FileStatus[]
  /** Whether the kernel tells of changes; if not, they are found by looking every `recheck` milliseconds alone. */
  readonly events: boolean
}

export interface WatchOptions {
  /**
   * For how long a file must have been left alone before it is read, in milliseconds. Default 100. A file that is
   * written in place, and not replaced by a rename, may look whole when it isn't: its writer must not pause for longer.
   */
  readonly settle?: number
  /** How often to look without being told to, in milliseconds. Default 10,000. */
  readonly recheck?: number
  /** Closes the source. */
  readonly signal?: AbortSignal
}
