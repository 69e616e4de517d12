import { constants } from 'node:os'

import { FrameType, INIT_ID, SpawnError, UNANSWERED_ID } from '@pyisolate/interface'

import type { CellHandle, CellListeners, CellOptions, NativeExit, ZygoteHandle } from './addon.js'
import { deferred } from './deferred.js'
import { earlyExit, forkFailure, initFailure } from './failures.js'

/** Who a sandbox speaks to once it has answered `init`. */
export interface LinkOwner {
  onFrame(type: number, id: number, payload: Uint8Array): void
  onDrain(): void
  onCorrupt(detail: string): void
  onDenied?(...denial: Parameters<CellListeners['onDenied']>): void
  onRefused?(limit: number, count: number): void
}

export interface LinkSize {
  readonly ringBytes: number
  readonly maxFrameBytes: number
}

type Stage = 'starting' | 'blank' | 'initialising' | 'running' | 'over'
type Decode = (payload: Uint8Array) => unknown

const noDecode: Decode = () => undefined

/**
 * One segment and what sits at its other end, from its request to its end: a blank cell first, then somebody's.
 * The addon takes it as its options and calls its methods: no closures per cell.
 */
export class Link implements CellOptions {
  readonly mode: 'process' | 'interpreter'
  readonly ringBytes: number
  readonly maxFrameBytes: number
  readonly table: Uint8Array | undefined
  readonly #ready = deferred<Uint8Array>()
  readonly #answered = deferred<void>()
  readonly #exited = deferred<NativeExit | undefined>()
  #handle: CellHandle | undefined
  #owner: LinkOwner | undefined
  #stage: Stage = 'starting'
  #lastWord: Uint8Array | undefined
  #decode: Decode
  #asked = false
  #pid = 0
  #attached = false
  #lost = false
  #fell = false

  constructor(mode: 'process' | 'interpreter', size: LinkSize, decode: Decode = noDecode, table?: Uint8Array) {
    this.mode = mode
    this.ringBytes = size.ringBytes
    this.maxFrameBytes = size.maxFrameBytes
    this.table = table
    this.#decode = decode
  }

  /** The payload of `ready`. Rejects with a SpawnError or a RefusedError. */
  get ready(): Promise<Uint8Array> {
    return this.#ready.promise
  }

  /** Resolves when its process has been reaped, or was never made (`undefined`). */
  get exited(): Promise<NativeExit | undefined> {
    return this.#exited.promise
  }

  get over(): boolean {
    return this.#stage === 'over'
  }

  get blank(): boolean {
    return this.#stage === 'blank'
  }

  /** One of several in a shared cell. */
  get attached(): boolean {
    return this.#attached
  }

  /** The zygote died before it made the cell. */
  get lost(): boolean {
    return this.#lost
  }

  /** It ended because its shared cell did, for whatever reason. */
  get fell(): boolean {
    return this.#fell
  }

  get pid(): number {
    return this.#pid
  }

  /** After `fork` or `attach`. */
  get handle(): CellHandle {
    if (!this.#handle) throw new TypeError('nothing was forked or attached')
    return this.#handle
  }

  /** Asks for a cell. @throws what the addon throws */
  fork(zygote: ZygoteHandle): this {
    this.#handle = zygote.fork(this)
    return this
  }

  /** Asks a shared cell for a sandbox in it. */
  attach(cell: CellHandle): this {
    this.#handle = cell.attach(this)
    this.#attached = true
    this.#pid = cell.pid
    return this
  }

  /**
   * Gives a blank cell its content; frames that come after the answer go to `owner`. A cell that is still starting
   * finds it in its ring once it is confined: one wake-up less each way.
   */
  init(payload: Uint8Array, owner: LinkOwner, decode: Decode): Promise<void> {
    this.#owner = owner
    this.#decode = decode
    if (!this.#asked && (this.#stage === 'starting' || this.#stage === 'blank')) {
      this.#asked = true
      if (this.#stage === 'blank') this.#stage = 'initialising'
      this.handle.send(FrameType.init, INIT_ID, payload)
    }
    return this.#answered.promise
  }

  /** The same for a blank cell, without an answer to wait for: what is sent next comes after it. */
  begin(payload: Uint8Array, owner: LinkOwner, decode: Decode): void {
    this.#owner = owner
    this.#decode = decode
    this.#asked = true
    this.#stage = 'running'
    this.handle.send(FrameType.init, UNANSWERED_ID, payload)
  }

  /** Ends it by force: nobody is told but those who wait. */
  discard(reason: string): void {
    if (this.#stage === 'over') return
    const error = new SpawnError(`the sandbox was given up: ${reason}`)
    this.#ready.reject(error)
    this.#answered.reject(error)
    this.#owner = undefined
    this.#handle?.kill(reason)
  }

  onForked(pid: number): void {
    this.#pid = pid
  }

  onForkFailed(errno: number, text: string): void {
    this.#lost = errno === constants.errno.EPIPE
    this.#fail(forkFailure(errno, text))
    this.#exited.resolve(undefined)
  }

  onFrame(type: number, id: number, payload: Uint8Array): void {
    if (this.#stage === 'running') {
      this.#owner?.onFrame(type, id, payload)
    } else if (type === FrameType.exit) {
      this.#lastWord = payload
    } else if (this.#stage === 'starting' && type === FrameType.ready) {
      this.#stage = this.#asked ? 'initialising' : 'blank'
      this.#ready.resolve(payload)
    } else if (this.#stage === 'initialising' && id === INIT_ID && type === FrameType.result) {
      this.#stage = 'running'
      this.#answered.resolve()
    } else if (this.#stage === 'initialising' && id === INIT_ID && type === FrameType.error) {
      this.#answered.reject(initFailure(payload, this.#decode))
    } else if (this.#stage !== 'over') {
      this.onCorrupt(`frame of type ${type} before its time`)
    }
  }

  onDrain(): void {
    this.#owner?.onDrain()
  }

  onCorrupt(detail: string): void {
    if (this.#stage === 'running') {
      this.#owner?.onCorrupt(detail)
      return
    }
    this.#fail(new SpawnError(`the sandbox broke the protocol while it was being prepared: ${detail}`))
    this.#handle?.kill('protocol')
  }

  onDenied(...denial: Parameters<CellListeners['onDenied']>): void {
    this.#owner?.onDenied?.(...denial)
  }

  onRefused(limit: number, count: number): void {
    this.#owner?.onRefused?.(limit, count)
  }

  onExit(exit: NativeExit): void {
    this.#fell = this.#attached && !exit.endedAlone && exit.killedBy === null
    // Who waited for its beginning has had an answer.
    if (this.#stage === 'running') this.#stage = 'over'
    else this.#fail(earlyExit(exit, this.#lastWord, this.#decode))
    this.#exited.resolve(exit)
  }

  #fail(error: Error): void {
    this.#ready.reject(error)
    this.#answered.reject(error)
    this.#stage = 'over'
  }
}
