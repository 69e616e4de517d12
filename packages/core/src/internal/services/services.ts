import { isIP } from 'node:net'
import { constants } from 'node:os'
import type { Cell, CellServices, ServiceAddress } from '@pyisolate/interface'
import type { HostFunction } from '../../options.js'
import type { IoCounts } from '../../sandbox.js'
import type { Ruling } from '../policy/ruling.js'
import { failed, type ServiceAnswer, ServiceFailure } from './answers.js'
import { take } from './arguments.js'
import { type GuestHandle, GuestHandles, GuestStream } from './handles.js'
import { inTurn, type Options } from './in-turn.js'
import { GuestListener, type Peer, Unheard } from './listener.js'

export interface ServicesOptions {
  /** Once there is one. */
  cell(): Cell | undefined
  /** By what it is decided; made when a guest first asks, where it isn't needed for anything else. */
  ruling(cell: Cell): Promise<Ruling>
  /** It has as many open as it may, or a file is as large as it may be. */
  reached(limit: 'openFiles' | 'fileSize'): void
  readonly openFiles: number
  /** Bytes of one answer. */
  readonly most: number
}

const limits: ReadonlyMap<number | string, 'openFiles' | 'fileSize'> = new Map([
  [constants.errno.EMFILE, 'openFiles'],
  [constants.errno.EFBIG, 'fileSize'],
])

/** An answer is a frame that others wait behind. */
const mostBytes = 128 * 1024
/** A guest waits for each: more are threads that it has started. */
const mostAtOnce = 256

/** A datagram has no more (RFC 768). */
const mostDatagram = 65_507

/** The files and sockets that a guest asks its supervisor for: `pyisolate.open`, `connect`, `listen` and `datagram`. */
export class Services {
  readonly #options: ServicesOptions
  readonly #handles: GuestHandles
  readonly #running = new Map<number, { readonly giveUp: AbortController; settled: Promise<unknown> }>()
  readonly #piece: number
  #bytesIn = 0
  #bytesOut = 0
  #operations = 0

  constructor(options: ServicesOptions) {
    this.#options = options
    this.#handles = new GuestHandles(options.openFiles)
    this.#piece = Math.max(1, Math.min(mostBytes, options.most >> 1))
  }

  get counts(): IoCounts {
    return {
      ioOperations: this.#operations,
      ioBytesIn: this.#bytesIn,
      ioBytesOut: this.#bytesOut,
      ioOpen: this.#handles.size,
    }
  }

  /** As a host function: what is to be done, the guest's number for it, its timeout in seconds, and its arguments. */
  readonly call: HostFunction = async (what: unknown, id: unknown, timeout: unknown, ...args: unknown[]) => {
    try {
      const number = take.integer(id)
      if (what === 'cancel') return await this.#cancel(number)
      if (this.#running.has(number) || this.#running.size >= mostAtOnce) throw new ServiceFailure('EAGAIN')
      const giveUp = new AbortController()
      const options = { signal: giveUp.signal, timeout: take.timeout(timeout) }
      const work = this.#run(String(what), number, options, args)
      this.#running.set(number, { giveUp, settled: work.catch(() => {}) })
      this.#operations++
      try {
        return [0, await work]
      } finally {
        this.#running.delete(number)
      }
    } catch (error) {
      const answer = failed(error)
      const limit = limits.get(answer[0])
      if (limit !== undefined) this.#options.reached(limit)
      return answer
    }
  }

  async end(): Promise<void> {
    for (const { giveUp } of this.#running.values()) giveUp.abort(new ServiceFailure('ECANCELED'))
    await this.#handles.closeAll()
  }

  async #cancel(number: number): Promise<ServiceAnswer> {
    const running = this.#running.get(number)
    running?.giveUp.abort(new ServiceFailure('ECANCELED'))
    await running?.settled
    await this.#handles.disown(number)
    return [0, null]
  }

  async #run(what: string, id: number, options: Options, args: readonly unknown[]) {
    const [first, second, third] = args
    switch (what) {
      case 'open':
        return this.#open(id, take.path(first), take.flags(second), take.integer(third, 0o777), options)
      case 'read': {
        const length = Math.min(take.integer(third), this.#piece)
        return this.#in(await this.#handles.file(take.integer(first)).read(take.integer(second), length, options))
      }
      case 'write': {
        const bytes = take.bytes(third, mostBytes)
        await this.#handles.file(take.integer(first)).write(take.integer(second), bytes, options)
        return this.#out(bytes)
      }
      case 'connect':
        return this.#connect(id, await this.#addresses(first, second), options)
      case 'receive': {
        const length = Math.min(take.integer(third), this.#piece)
        return this.#in(await this.#handles.stream(take.integer(first)).receive(take.integer(second), length, options))
      }
      case 'send': {
        const bytes = take.bytes(second, mostBytes)
        await this.#handles.stream(take.integer(first)).stream.write(bytes, options)
        return this.#out(bytes)
      }
      case 'listen':
        return this.#listen(id, await this.#addresses(first, second), options)
      case 'accept':
        return this.#accept(id, take.integer(first), options)
      case 'datagram':
        return this.#datagram(id, first === null ? undefined : await this.#addresses(first, second), options)
      case 'sendto': {
        const bytes = take.bytes(third, mostDatagram)
        await this.#sendTo(take.integer(first), second, args[3], bytes, options)
        return this.#out(bytes)
      }
      case 'recvfrom': {
        const { bytes, host, port } = await this.#handles.datagrams(take.integer(first)).receive(options)
        return [this.#in(bytes), host, port]
      }
      case 'shut':
        await this.#handles.stream(take.integer(first)).stream.end()
        return null
      case 'close':
        await this.#handles.close(take.integer(first))
        return null
      default:
        throw new ServiceFailure('ENOSYS')
    }
  }

  async #open(by: number, path: string, flags: number, mode: number, options: Options) {
    const { services } = await this.#ready()
    let size = 0
    const handle = await this.#handles.add(async () => {
      const file = await inTurn(options, (rest) => services.open(path, flags, mode, rest))
      size = file.size
      return { kind: 'file', file, by }
    })
    return [handle, size]
  }

  async #connect(by: number, addresses: readonly ServiceAddress[], options: Options) {
    return this.#first(addresses, options, async ({ services }, address, rest) => {
      const stream = await services.connect(address, rest)
      return { kind: 'stream', guest: new GuestStream(stream), by }
    })
  }

  async #listen(by: number, addresses: readonly ServiceAddress[], options: Options) {
    let place: readonly [string, number] = ['', 0]
    const handle = await this.#first(addresses, options, async ({ services }, address, rest) => {
      const listener = await services.listen(address, rest)
      place = [listener.host, listener.port]
      return { kind: 'listener', listener: new GuestListener(listener), by }
    })
    return [handle, ...place]
  }

  async #accept(by: number, number: number, options: Options) {
    const listener = this.#handles.listener(number)
    let peer: Peer = ['', 0]
    try {
      const unheard = listener.next()
      if (unheard !== undefined) throw new Unheard(unheard)
      const handle = await this.#handles.add(async () => {
        const stream = await listener.accept(options)
        peer = [stream.host, stream.port]
        return { kind: 'stream', guest: new GuestStream(stream), from: listener, peer, by }
      })
      return [handle, ...peer]
    } catch (error) {
      if (!(error instanceof Unheard)) throw error
      return [error.handle, ...this.#handles.adopt(error.handle, by)]
    }
  }

  async #datagram(by: number, addresses: readonly ServiceAddress[] | undefined, options: Options) {
    let place: readonly [string, number] = ['', 0]
    const handle = await this.#first(addresses ?? [undefined], options, async ({ services }, address, rest) => {
      const datagrams = await services.datagrams(address, rest)
      place = [datagrams.host, datagrams.port]
      return { kind: 'datagrams', datagrams, by }
    })
    return [handle, ...place]
  }

  async #sendTo(from: number, host: unknown, port: unknown, bytes: Uint8Array, options: Options): Promise<void> {
    const [address] = await this.#addresses(host, take.integer(port))
    if (address === undefined || 'path' in address) throw new ServiceFailure('EHOSTUNREACH')
    await this.#handles.datagrams(from).send(bytes, address, options)
  }

  /** By the first address that does. */
  async #first<A>(
    addresses: readonly A[],
    options: Options,
    make: (ready: Ready, address: A, rest: Options) => Promise<GuestHandle>,
  ): Promise<number> {
    const ready = await this.#ready()
    return this.#handles.add(async () => {
      let last: unknown = new ServiceFailure('EHOSTUNREACH')
      for (const address of addresses) {
        try {
          return await inTurn(options, (rest) => make(ready, address, rest))
        } catch (error) {
          options.signal.throwIfAborted()
          last = error
        }
      }
      throw last
    })
  }

  async #addresses(host: unknown, port: unknown): Promise<ServiceAddress[]> {
    if (port === null) return [take.unix(host)]
    const name = take.text(host, 253)
    const number = take.integer(port, 65535)
    if (isIP(name) !== 0) return [{ host: name, port: number }]
    const { ruling } = await this.#ready()
    const found = (await ruling.resolve(name)) as readonly string[]
    return found.map((address) => ({ host: address, port: number }))
  }

  async #ready(): Promise<Ready> {
    const cell = this.#options.cell()
    const services = cell?.services
    if (cell === undefined || services === undefined) throw new ServiceFailure('ENOSYS')
    return { services, ruling: await this.#options.ruling(cell) }
  }

  #in(bytes: Uint8Array): Uint8Array {
    this.#bytesIn += bytes.length
    return bytes
  }

  #out(bytes: Uint8Array): number {
    this.#bytesOut += bytes.length
    return bytes.length
  }
}

interface Ready {
  readonly services: CellServices
  readonly ruling: Ruling
}
