import type { Readable, Writable } from 'node:stream'

/** What ends a command from outside. */
export type Ending = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** Where a command runs: a process's own streams and signals, or a test's. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number }
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  /** Calls `listener` for each signal in place of its default action; the returned function ends that. */
  onSignal(listener: (signal: Ending) => void): () => void
}
