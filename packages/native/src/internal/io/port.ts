import { constants } from 'node:os'
import { IoClosedError } from '../../errors/io-closed-error.js'
import { IoError } from '../../errors/io-error.js'
import { IoTimeoutError } from '../../errors/io-timeout-error.js'
import type { IoHandle } from '../addon.js'

const { EACCES, ETIME, ECANCELED } = constants.errno

/** Of every operation that waits. */
export interface OperationOptions {
  /** Gives the operation up; it rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds until it is given up. Default: none. */
  readonly timeout?: number | undefined
}

export interface Done {
  readonly result: number
  readonly bytes: Uint8Array | null
  readonly text: string
}

/** Told what happens to a stream or listener that nobody has to ask for. */
export interface Receiver {
  onData?(bytes: Uint8Array): void
  onDatagram?(bytes: Uint8Array, host: string, port: number): void
  onAccepted?(handle: number, host: string, port: number): void
  onEnd(error: number): void
  /** A policy allows it no more: what was not handed out yet is not to be. */
  onRevoked?(): void
}

interface Pending {
  readonly operation: string
  readonly options: OperationOptions
  readonly resolve: (done: Done) => void
  readonly reject: (error: unknown) => void
  readonly stopListening: () => void
}

const Report = { done: 0, accepted: 1, data: 2, end: 3, datagram: 4, revoked: 5 } as const

/** Operations of an I/O thread as promises. */
export class IoPort {
  readonly #pending = new Map<number, Pending>()
  readonly #receivers = new Map<number, Receiver>()
  #handle: IoHandle | undefined
  #holds = 0
  #closed = false

  attach(handle: IoHandle): void {
    this.#handle = handle
  }

  get handle(): IoHandle {
    return this.#handle!
  }

  get closed(): boolean {
    return this.#closed
  }

  receive(handle: number, receiver: Receiver): void {
    this.#receivers.set(handle, receiver)
    this.#hold()
  }

  forget(handle: number): void {
    if (this.#receivers.delete(handle)) this.#drop()
  }

  /** @throws IoError, IoTimeoutError, IoClosedError, or `signal.reason` */
  run(operation: string, options: OperationOptions, start: (timeout: number) => number): Promise<Done> {
    const { signal, timeout } = options
    if (this.#closed) return Promise.reject(new IoClosedError(operation))
    if (signal?.aborted) return Promise.reject(signal.reason)
    const id = start(timeout ?? Number.POSITIVE_INFINITY)
    return new Promise((resolve, reject) => {
      const onAbort = () => this.handle.cancel(id)
      signal?.addEventListener('abort', onAbort, { once: true })
      const stopListening = () => signal?.removeEventListener('abort', onAbort)
      this.#pending.set(id, { operation, options, resolve, reject, stopListening })
      this.#hold()
    })
  }

  readonly onReport = (
    kind: number,
    handle: number,
    id: number,
    result: number,
    bytes: Uint8Array | null,
    text: string,
  ): void => {
    if (kind === Report.done) this.#finish(id, { result, bytes, text })
    else if (kind === Report.accepted) this.#receivers.get(handle)?.onAccepted?.(id, text, result)
    else if (kind === Report.data) this.#receivers.get(handle)?.onData?.(bytes!)
    else if (kind === Report.end) this.#receivers.get(handle)?.onEnd(-result)
    else if (kind === Report.datagram) this.#receivers.get(handle)?.onDatagram?.(bytes!, text, result)
    else if (kind === Report.revoked) this.#receivers.get(handle)?.onRevoked?.()
  }

  /** Everything that waits is told that it was closed. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.handle.shutDown()
    for (const { operation, reject, stopListening } of this.#pending.values()) {
      stopListening()
      reject(new IoClosedError(operation))
    }
    this.#pending.clear()
    for (const receiver of this.#receivers.values()) receiver.onEnd(ECANCELED)
    this.#receivers.clear()
    this.#holds = 0
  }

  #finish(id: number, done: Done): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    this.#pending.delete(id)
    this.#drop()
    const { operation, options, resolve, reject, stopListening } = pending
    stopListening()
    if (done.result >= 0) resolve(done)
    else if (options.signal?.aborted && done.result === -ECANCELED) reject(options.signal.reason)
    else reject(failure(operation, -done.result, options.timeout))
  }

  #hold(): void {
    if (this.#holds++ === 0) this.handle.ref()
  }

  #drop(): void {
    if (--this.#holds === 0 && !this.#closed) this.handle.unref()
  }
}

/** What whoever has it is told from then on. */
export function revoked(operation: string): Error {
  return new IoError(operation, EACCES)
}

export function failure(operation: string, errno: number, timeout?: number): Error {
  if (errno === ETIME && timeout !== undefined) return new IoTimeoutError(operation, timeout)
  return errno === ECANCELED ? new IoClosedError(operation) : new IoError(operation, errno)
}
