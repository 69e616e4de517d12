import { constants } from 'node:fs'
import { IoUnavailableError } from './errors/io-unavailable-error.js'
import { errnoName, SystemError } from './errors/system-error.js'
import type { CellHandle } from './internal/addon.js'
import { IoDatagrams } from './internal/io/datagrams.js'
import { ignoreEnd } from './internal/io/endpoint.js'
import { IoFile } from './internal/io/file.js'
import { IoListener } from './internal/io/listener.js'
import { IoPort, type OperationOptions } from './internal/io/port.js'
import { IoStream } from './internal/io/stream.js'
import { loadAddon } from './internal/load-addon.js'
import { locateAddon } from './internal/locate.js'

export type IoBackend = 'io_uring' | 'epoll'

export interface IoOptions {
  /** Default: io_uring, or epoll where the kernel or what confines this process forbids that. */
  readonly backend?: IoBackend
  /** Path of the addon, where it isn't in its usual place. */
  readonly addon?: string
}

/** Numbers, not names; or a Unix socket: a path, or `@` and an abstract name. */
export type IoAddress = { readonly host: string; readonly port: number } | { readonly path: string }

export interface ListenOptions {
  /** Connections the kernel keeps for it. Default 511. */
  readonly backlog?: number
  /** Connections it has accepted and nobody has taken, about. Default 64. */
  readonly window?: number
}

export interface IoStats {
  /** System calls' worth of work, and what they carried. */
  readonly operations: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** How often the thread woke: each takes in, and submits, all that there is. */
  readonly wakeups: number
  /** How often a listener waited for lack of descriptors or memory; it goes on by itself. */
  readonly shortages: number
  /** Listeners, streams and files. */
  readonly open: number
  /** Of them those that the kernel knows by a fixed number. */
  readonly fixedFiles: number
}

/** Of a guest's listener: connections that the kernel keeps, and that this process has taken for it. */
const guestBacklog = 128
const guestWindow = 8

const flagBits = {
  r: constants.O_RDONLY,
  'r+': constants.O_RDWR,
  w: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC,
  'w+': constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
  wx: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
} as const

export type OpenFlags = keyof typeof flagBits

/**
 * A thread that drives sockets and files, so that none of them ever holds up the event loop. Open listeners and streams,
 * and operations under way, keep the process alive.
 * @throws EngineMissingError, IoUnavailableError
 */
export function createIo(options: IoOptions = {}): Io {
  return new Io(options)
}

export class Io implements AsyncDisposable {
  readonly #port = new IoPort()
  readonly backend: IoBackend
  /** Why it isn't io_uring, as an errno's name; `undefined` if it is, or was not to be. */
  readonly refusal: string | undefined

  /** @internal */
  constructor({ backend, addon: path }: IoOptions) {
    const addon = loadAddon(locateAddon(path))
    try {
      this.#port.attach(addon.openIo({ backend: backend ?? 'any', onReport: this.#port.onReport }))
    } catch (error) {
      if (error instanceof SystemError) throw new IoUnavailableError(backend ?? 'io_uring or epoll', error.code, error)
      throw error
    }
    const { handle } = this.#port
    this.backend = handle.backend
    this.refusal = handle.refusal === 0 ? undefined : errnoName(handle.refusal)
  }

  /** @throws IoError, IoClosedError */
  listen(address: IoAddress, { backlog = 511, window = 64 }: ListenOptions = {}): Promise<IoListener> {
    return this.#bind(
      'listen',
      {},
      () => this.#port.handle.listen(address, backlog, window),
      (handle) => new IoListener(this.#port, handle),
    )
  }

  /**
   * A UDP socket: bound to an address, port 0 for one that the kernel chooses; without, one that sends from wherever the
   * kernel says. IPv6 means IPv6 alone for one that is bound. @throws IoError, IoClosedError
   */
  datagrams(address?: { readonly host: string; readonly port: number }): Promise<IoDatagrams> {
    return this.#bind(
      'bind',
      {},
      () => this.#port.handle.datagrams(address ?? null),
      (handle) => new IoDatagrams(this.#port, handle),
    )
  }

  async #bind<T extends IoListener | IoDatagrams>(
    operation: string,
    options: OperationOptions,
    start: (timeout: number) => [handle: number, operation: number],
    make: (handle: number) => T,
  ): Promise<T> {
    let made: T | undefined
    const { result, text } = await this.#port
      .run(operation, options, (timeout) => {
        const [handle, id] = start(timeout)
        // Before it is there: what it receives may be reported together with that.
        made = make(handle)
        return id
      })
      .catch((error) => {
        made?.abandon()
        throw error
      })
    made!.bound(text, result)
    await this.#keep(made!, options)
    return made!
  }

  /** @throws IoError, IoTimeoutError, IoClosedError, or `signal.reason` */
  connect(address: IoAddress, options: OperationOptions = {}): Promise<IoStream> {
    return this.#connect(address, options, (timeout) => this.#port.handle.connect(address, timeout))
  }

  async #connect(
    address: IoAddress,
    options: OperationOptions,
    start: (timeout: number) => [handle: number, operation: number],
  ): Promise<IoStream> {
    let made: IoStream | undefined
    try {
      await this.#port.run('connect', options, (timeout) => {
        const [handle, id] = start(timeout)
        const { host, port } = 'path' in address ? { host: '', port: 0 } : address
        // Before it is connected: what it receives may be reported together with that.
        made = new IoStream(this.#port, handle, host, port)
        return id
      })
    } catch (error) {
      made?.abandon()
      throw error
    }
    await this.#keep(made!, options)
    return made!
  }

  /** @throws IoError, IoTimeoutError, IoClosedError, or `signal.reason` */
  async open(
    path: string,
    flags: OpenFlags = 'r',
    { mode = 0o666, ...options }: OperationOptions & { readonly mode?: number } = {},
  ): Promise<IoFile> {
    let made = 0
    await this.#port.run('open', options, (timeout) => {
      const [handle, id] = this.#port.handle.openFile(path, flagBits[flags], mode, timeout)
      made = handle
      return id
    })
    const file = new IoFile(this.#port, made)
    await this.#keep(file, options)
    return file
  }

  /** @internal A regular file for a sandbox, and how large it was. Its policy decides. */
  async openFor(cell: CellHandle, path: string, flags: number, mode: number, options: OperationOptions) {
    let made = 0
    const { result: size } = await this.#port.run('open', options, (timeout) => {
      const [handle, id] = this.#port.handle.openFor(cell, path, flags, mode, timeout)
      made = handle
      return id
    })
    const file = new IoFile(this.#port, made)
    await this.#keep(file, options)
    return { file, size }
  }

  /** @internal A stream for a sandbox. Its policy decides. */
  connectFor(cell: CellHandle, address: IoAddress, options: OperationOptions): Promise<IoStream> {
    return this.#connect(address, options, (timeout) => this.#port.handle.connectFor(cell, address, timeout))
  }

  /** @internal A listener for a sandbox. Its policy decides. */
  listenFor(cell: CellHandle, address: IoAddress, options: OperationOptions): Promise<IoListener> {
    return this.#bind(
      'listen',
      options,
      (timeout) => this.#port.handle.listenFor(cell, address, guestBacklog, guestWindow, timeout),
      (handle) => new IoListener(this.#port, handle),
    )
  }

  /** @internal A UDP socket for a sandbox. Its policy decides, also where each datagram may go. */
  datagramsFor(cell: CellHandle, address: IoAddress | undefined, options: OperationOptions): Promise<IoDatagrams> {
    return this.#bind(
      'bind',
      options,
      (timeout) => this.#port.handle.datagramsFor(cell, address ?? null, timeout),
      (handle) => new IoDatagrams(this.#port, handle, cell),
    )
  }

  /** @internal Ends what the policy of `cell` no longer allows. */
  async judgeAgain(cell: CellHandle): Promise<void> {
    if (this.#port.closed) return
    await this.#port.run('judge', {}, () => this.#port.handle.judgeAgain(cell)).catch(ignoreEnd)
  }

  /** What was had just when it was given up is given up, too. */
  async #keep(made: AsyncDisposable, { signal }: OperationOptions): Promise<void> {
    if (!signal?.aborted) return
    await made[Symbol.asyncDispose]()
    throw signal.reason
  }

  stats(): IoStats {
    return this.#port.handle.stats()
  }

  /** Gives everything up, closes it and ends the thread. Idempotent. */
  async close(): Promise<void> {
    this.#port.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
