import type { AeadKey } from '@pyisolate/interface'

/** The addon's JavaScript face, by hand: keep it with addon/js_*.cc. */
export interface NativeAddon {
  readonly versions: { readonly napi: number; readonly protocol: number }
  /** The class of what is thrown when a system call fails. Everything else thrown is a TypeError: our own mistake. */
  setErrorClasses(classes: { SystemError: new (call: string, errno: number) => Error }): void
  launchZygote(options: ZygoteOptions): ZygoteHandle
  readonly AeadKeyHandle: new (key: Uint8Array) => AeadKey
  /** What a broker table says of an operation, as `explain` of `@pyisolate/policy` takes it; rule 0xffffffff for none. */
  decide(table: Uint8Array, operation: Readonly<Record<string, unknown>>): { allowed: boolean; rule: number }
  /** A compiled contract on what it judges, as `contract_machine.h` lays it out: whether it allows, and what does not hold. */
  runContracts(program: Uint8Array, task: Uint8Array): [boolean, [rule: number, action: number][]]
  /** The errno that a notified call fails with before it is decided; `memory` is what is at the guest's address 4096. */
  decodeCall(number: number, args: readonly bigint[], memory: Uint8Array): number
}

export interface ZygoteOptions {
  readonly executable: string
  readonly args: readonly string[]
  readonly env: readonly string[]
  onReady(report: string): void
  onFailed(errno: number, text: string): void
  onExit(exit: ZygoteExit): void
}

export interface ZygoteExit {
  readonly code: number | null
  readonly signal: number | null
  /** The end of what it wrote to stderr. */
  readonly stderr: string
}

export interface ZygoteHandle {
  readonly pid: number
  fork(options: CellOptions & { readonly mode: 'process' | 'interpreter' }): CellHandle
  /** It ends once the forks under way are answered; its cells live on. */
  close(): void
  kill(): void
  ref(): void
  unref(): void
}

export interface CellListeners {
  onForked(pid: number): void
  onForkFailed(errno: number, text: string): void
  onFrame(type: number, id: number, payload: Uint8Array): void
  onDrain(): void
  onCorrupt(detail: string): void
  onExit(exit: NativeExit): void
  /** `operation`: an index into read, write, exec, connect, bind, sendto, socket. `rule`: 0xffffffff for none. */
  onDenied(
    operation: number,
    object: string,
    rule: number,
    generation: number,
    errno: number,
    lost: number,
    allowed: boolean,
    kill: boolean,
  ): void
}

export interface CellOptions extends CellListeners {
  readonly ringBytes: number
  readonly maxFrameBytes: number
  /** Of a brokered cell: what holds from the start. */
  readonly table?: Uint8Array | undefined
}

export interface NativeExit {
  readonly code: number | null
  readonly signal: number | null
  /** Why this very sandbox was killed; `null` when it wasn't. */
  readonly killedBy: string | null
  /** A sandbox of a shared cell that died: why the cell was killed. */
  readonly cellKilledBy: string | null
  /** A sandbox of a shared cell that ended while the cell lives on. */
  readonly endedAlone: boolean
  readonly userMs: number
  readonly systemMs: number
  readonly maxRssKiB: number
}

export interface CellHandle {
  readonly pid: number
  /** Of a brokered sandbox, as the cell's own pid namespace numbers it; 0 before it is known. */
  readonly guestThread: number
  send(type: number, id: number, payload: Uint8Array): boolean
  pause(): void
  resume(): void
  ref(): void
  unref(): void
  interrupt(mode: 1 | 2): void
  kill(reason: string): void
  limitFrames(maxFrameBytes: number): void
  setDeadline(slot: number, softMs: number, hardMs: number, reason: string): void
  setCpuLimit(ms: number): void
  /** `begins`: as its guest starts. Counts the tables of a brokered cell from 1; 0 if it isn't one, or gone. @throws TypeError */
  setPolicy(table: Uint8Array, begins: boolean): number
  learnName(address: string, name: string): void
  usage(): { cpuMs: number; rssKiB: number; privateKiB: number }
  attach(options: CellOptions): CellHandle
  /** Forgets it: no listener is called any more, a process that lives is killed and reaped. */
  close(): void
}
