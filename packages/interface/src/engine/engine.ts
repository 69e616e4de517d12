import type { BrokerRequest, Denial } from './broker.js'
import type { Cell, CellExit } from './cell.js'
import type { Frame } from './frame.js'

/** `process`: a sandbox alone in its process. `interpreter`: many sandboxes share a named one. */
export type Isolation = 'process' | 'interpreter'

/** What a sandbox may use at most, as its engine enforces it. */
export interface CellLimits {
  /** Bytes; beyond, the guest sees `MemoryError`. */
  readonly memory: number
  /** Seconds of CPU time; 0 for none. */
  readonly cpuSeconds: number
  /** Share of the CPU, in processors (0.5 is half of one); absent: none. Process isolation only. */
  readonly cpu?: number
  readonly threads: number
  readonly openFiles: number
  /** Bytes of a file that the guest writes; it sees `OSError` (EFBIG). Absent: none can be written. */
  readonly fileSize?: number
  /** Budgets of one CBOR value, both ways: bytes, nesting, and items (every element, key and value counts). */
  readonly frame: number
  readonly depth: number
  readonly items: number
}

/** A limit that was kept while the guest goes on. */
export interface LimitReached {
  readonly limit: 'memory' | 'threads' | 'openFiles' | 'fileSize' | 'cpu'
  /** How often since it was last told of, beside this once. */
  readonly lost: number
  /** `guest`: the cell's own side counts it, and native code in it can count as it likes. */
  readonly toldBy: 'supervisor' | 'guest'
}

export interface SpawnRequest {
  /** For people and for `CellExit.cell.culprit`; unique among the living sandboxes of the caller. */
  readonly name: string
  readonly isolation: Isolation
  /** Name of the shared cell; with `isolation: 'interpreter'` only. It is started by the first spawn that names it. */
  readonly cell?: string
  /** Modules the zygote imports before it forks; each different set costs a zygote. */
  readonly preload: readonly string[]
  /** Paths the guest may read beside the standard library. */
  readonly readPaths: readonly string[]
  /** Folders put on `sys.path`; readable, too. */
  readonly modulePaths: readonly string[]
  /** Size of each of the two rings; a power of two from 4 KiB. */
  readonly ringBytes: number
  readonly maxFrameBytes: number
  readonly limits: CellLimits
  /** Absent: the cell reads what it was granted, and has no sockets. An engine that can't broker rejects. */
  readonly broker?: BrokerRequest
  /** Told what a sandbox without `broker` asked its services for, and was denied. */
  onDenial?(denial: Denial): void
  /**
   * Told of limits that are kept without an end of the sandbox, by the supervisor's side at most once a second each.
   * Absent, or by an engine that doesn't see it: nobody is.
   */
  onLimit?(reached: LimitReached): void
  /** System calls beside those of the engine's own profile, and those of it that this guest goes without, by name. */
  readonly systemCalls?: { readonly allow: readonly string[]; readonly deny: readonly string[] }
  /** Payload of the `init` frame, which the engine sends with `INIT_ID`. */
  readonly init: Uint8Array
  /**
   * `init` holds nothing that a sandbox could refuse (no inputs): `spawn` may resolve as soon as it is on its way to a
   * cell that is confined already, whose ring keeps the order. Absent: `spawn` waits for the answer.
   */
  readonly initIsSure?: boolean
  /** Makes the payload of the `init` frame of the shared cell itself; called if this spawn starts it. */
  readonly cellInit?: () => Uint8Array
  /** Blank sandboxes to keep ready in the shared cell. Default 0. */
  readonly warm?: number
  /** The caller's strict CBOR decoder with this sandbox's budgets; throws on anything malformed. */
  decode(payload: Uint8Array): unknown
  /** Every frame after the answer to `init`, `exit` included, in order. */
  onFrame(frame: Frame): void
  /** What `Cell.send` queued has been taken by the sandbox's ring. */
  onDrain(): void
  /** The ring or a frame's header is broken; the engine has stopped reading and left the rest to the caller. */
  onCorrupt(detail: string): void
  /** Exactly once for every spawn that resolved, after its last frame; never for one that rejected. */
  onExit(exit: CellExit): void
  /** Gives the spawn up at any stage: it rejects with `signal.reason` and leaves nothing behind. Ignored once resolved. */
  readonly signal?: AbortSignal
}

export interface EngineStats {
  /** Living sandboxes, blank ones waiting in pools, cell processes (blank ones included), zygotes. */
  readonly sandboxes: number
  readonly pooled: number
  readonly cells: number
  readonly zygotes: number
}

/** Makes confined Python processes. Implementations run the compliance suite of the test kit. */
export interface Engine extends AsyncDisposable {
  readonly name: string
  /**
   * Resolves when the sandbox is confined and has answered `init`; no guest code runs before that.
   * @throws EngineMissingError, EngineClosedError, RefusedError, SpawnError, or `signal.reason`
   */
  spawn(request: SpawnRequest): Promise<Cell>
  /** Ends every sandbox and zygote, and resolves when they are reaped. Idempotent. */
  close(): Promise<void>
  stats(): EngineStats
  /** Why this host grants no limit of a sandbox's share of the CPU; `undefined` if it does. Absent: the engine can't. */
  cpuShareMissing?(): string | undefined
}
