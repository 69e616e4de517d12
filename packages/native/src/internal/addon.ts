import type { AeadKey, SocketMark } from '@pyisolate/interface'

/** The addon's JavaScript face, by hand: keep it with addon/js_*.cc. */
export interface NativeAddon {
  readonly versions: { readonly napi: number; readonly protocol: number }
  /** The classes of what is thrown when a system call fails, and by a key. Everything else thrown is a TypeError: our own mistake. */
  setErrorClasses(classes: {
    SystemError: new (call: string, errno: number) => Error
    KeyRestoredError: new () => Error
  }): void
  launchZygote(options: ZygoteOptions): ZygoteHandle
  /** Whether this addon's libcrypto has ML-KEM-768. */
  readonly hasKem: boolean
  /** The parts of a ring's handshake, for tests: a secret that both have, and what answers a hello. `undefined`: all zeros. */
  agree(secret: Uint8Array, theirs: Uint8Array): Uint8Array | undefined
  respond(
    secret: Uint8Array,
    prologue: Uint8Array,
    hello: Uint8Array,
  ): { answer: Uint8Array; toResponder: Uint8Array; toInitiator: Uint8Array } | undefined
  readonly AeadKeyHandle: new (key: Uint8Array) => AeadKey
  /** Starts an I/O thread. */
  openIo(options: IoThreadOptions): IoHandle
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
  /** Default true: hybrid where both libcryptos have ML-KEM-768. `hybrid`: it fails where either has none. */
  readonly sealed?: boolean | 'hybrid' | 'x25519' | undefined
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
  /** `operation`: an index into read, write, exec, connect, bind, sendto, socket, call, limit. `rule`: 0xffffffff for none. */
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
  /** The cell's side says that it met a limit so many more times: an index into memory, threads, openFiles, fileSize. */
  onRefused(limit: number, count: number): void
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
  /** `null`: marks are to come, and no Internet socket is made before. @throws TypeError */
  markSockets(marks: readonly SocketMark[] | null): void
  /** Of one that isn't brokered: what it may ask for. Counts its tables from 1; 0 if it is brokered, or gone. @throws TypeError, SystemError */
  serve(table: Uint8Array): number
  usage(): { cpuMs: number; rssKiB: number; privateKiB: number }
  attach(options: CellOptions): CellHandle
  /** Forgets it: no listener is called any more, a process that lives is killed and reaped. */
  close(): void
}

export interface IoThreadOptions {
  readonly backend: 'any' | 'io_uring' | 'epoll'
  /** `kind`: done, accepted, data, end, datagram, revoked; see addon/io/report.h. `result`: a count, or an errno below zero. */
  onReport(kind: number, handle: number, id: number, result: number, bytes: Uint8Array | null, text: string): void
}

/** `timeout`: in milliseconds, or Infinity. What returns one number returns the operation's, two: its handle's first. */
export interface IoHandle {
  readonly backend: 'io_uring' | 'epoll'
  /** The errno that io_uring was refused with; 0 for none. */
  readonly refusal: number
  listen(address: object, backlog: number, window: number): [handle: number, operation: number]
  connect(address: object, timeout: number): [handle: number, operation: number]
  /** Judged by what `cell` may do. An open file's size is its operation's result. */
  openFor(
    cell: CellHandle,
    path: string,
    flags: number,
    mode: number,
    timeout: number,
  ): [handle: number, operation: number]
  connectFor(cell: CellHandle, address: object, timeout: number): [handle: number, operation: number]
  listenFor(
    cell: CellHandle,
    address: object,
    backlog: number,
    window: number,
    timeout: number,
  ): [handle: number, operation: number]
  /** A UDP socket: bound, or for `null` one that sends from wherever the kernel says. */
  datagrams(address: object | null): [handle: number, operation: number]
  datagramsFor(cell: CellHandle, address: object | null, timeout: number): [handle: number, operation: number]
  /** Judged by what `cell` may do, if there is one. */
  sendTo(handle: number, bytes: Uint8Array, address: object, timeout: number, cell?: CellHandle): number
  /** Ends what the policy of `cell` no longer allows; their number is the operation's result. */
  judgeAgain(cell: CellHandle): number
  openFile(path: string, flags: number, mode: number, timeout: number): [handle: number, operation: number]
  send(handle: number, bytes: Uint8Array, timeout: number): number
  shut(handle: number): number
  read(handle: number, position: number, length: number, timeout: number): number
  write(handle: number, position: number, bytes: Uint8Array, timeout: number): number
  consume(handle: number, count: number): void
  setOption(handle: number, option: 'sendBuffer' | 'receiveBuffer', value: number): void
  cancel(operation: number): void
  close(handle: number): number
  stats(): {
    operations: number
    bytesIn: number
    bytesOut: number
    wakeups: number
    shortages: number
    open: number
    fixedFiles: number
  }
  ref(): void
  unref(): void
  shutDown(): void
}
