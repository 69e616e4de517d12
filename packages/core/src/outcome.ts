/** How a sandbox ended: data to decide by, and `message` for people, which nobody should parse. */
export type Outcome = OutcomeData & { readonly message: string }

export type OutcomeData =
  /** `close()`, in good order or not. */
  | { readonly kind: 'closed' }
  /** The guest ended itself: `SystemExit`, or its process with this status. */
  | { readonly kind: 'exit'; readonly code: number }
  /** The process died of a signal that PyIsolate did not send. */
  | { readonly kind: 'signal'; readonly signal: string }
  /** A call (`limits.callTime` or its own `timeout`) could not be interrupted, or `limits.wallTime` is over. */
  | { readonly kind: 'timeout'; readonly limit: 'call' | 'wall'; readonly ms: number }
  /** `limits.cpuTime` is used up. */
  | { readonly kind: 'cpu'; readonly ms: number }
  /** The interpreter itself could not go on at `limits.memory`; as a rule the guest sees `MemoryError` and lives on. */
  | { readonly kind: 'memory'; readonly bytes: number }
  /** More output than `limits.output`. */
  | { readonly kind: 'output'; readonly bytes: number }
  /** It broke a contract of its policy whose action is `kill`. */
  | { readonly kind: 'policy'; readonly contract: string }
  /** More posted values than `limits.messages`. */
  | { readonly kind: 'messages'; readonly count: number }
  /** The sandbox sent what no honest engine sends. */
  | { readonly kind: 'protocol'; readonly detail: string }
  /** The shared cell ended, and with it this sandbox; `detail` is what happened to the cell. */
  | { readonly kind: 'cell'; readonly cell: string; readonly detail: Outcome }
  /** A call was aborted and could not be interrupted. */
  | { readonly kind: 'aborted' }
  /** The host can't confine it. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** A fault of PyIsolate. */
  | { readonly kind: 'internal'; readonly detail: string }
