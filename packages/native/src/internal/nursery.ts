import {
  type BrokerRequest,
  type Cell,
  type CellExit,
  type CellPlaces,
  SpawnError,
  type SpawnRequest,
} from '@pyisolate/interface'

import { SystemError } from '../errors/system-error.js'
import type { Io } from '../io.js'
import type { NativeAddon, NativeExit, ZygoteHandle } from './addon.js'
import type { Attempt } from './attempt.js'
import type { Cgroups } from './cgroups/cgroups.js'
import { EnforcementReader } from './enforcement.js'
import { spawnFailure } from './failures.js'
import { Link, type LinkSize } from './link.js'
import { NativeCell, type Surroundings } from './native-cell.js'
import { Pool } from './pool.js'
import { SharedCell } from './shared-cell.js'
import { ThrottleWatch } from './throttle-watch.js'
import { requestTurns } from './turnstile.js'
import { Zygote, type ZygoteCommand, type ZygoteEvent } from './zygote.js'

export interface NurseryOptions {
  readonly addon: NativeAddon
  readonly command: ZygoteCommand
  readonly preload: readonly string[]
  readonly pool: LinkSize & { readonly size: number }
  readonly onZygote: (event: ZygoteEvent) => void
  readonly cgroups: () => Cgroups
  /** Of brokered cells: what blanks may do. */
  readonly broker?: { readonly blank: BrokerRequest['blank'] } | undefined
  /** Where this side has the standard library. */
  readonly stdlib: () => string
  readonly io: () => Io
}

/** Everything that comes from one zygote: the zygote itself, its pool, its cells and their sandboxes. */
export class Nursery {
  readonly #zygote: Zygote
  readonly #pool: Pool
  readonly #enforcement = new EnforcementReader()
  readonly #shared = new Map<string, SharedCell>()
  readonly #links = new Set<Link>() // whatever isn't in the pool; of shared cells their own, too
  readonly #brokered: boolean
  readonly #surroundings: Surroundings
  readonly #cgroups: () => Cgroups
  readonly #groups = new Set<Promise<void>>()
  readonly #forks = requestTurns()
  #sandboxes = 0

  constructor(options: NurseryOptions) {
    this.#brokered = options.broker !== undefined
    this.#surroundings = {
      io: options.io,
      callName: (number) => this.#zygote.callName(number),
      places: () => ({ stdlib: { guest: this.#zygote.stdlib, host: options.stdlib() } }),
    }
    this.#cgroups = options.cgroups
    this.#zygote = new Zygote(options.addon, options.command, options.preload, options.onZygote)
    const source = async () => {
      const zygote = await this.#zygote.acquire()
      const table = this.#places() && options.broker?.blank(this.#places()!)
      return () => new Link('process', options.pool, undefined, table).fork(zygote)
    }
    this.#pool = new Pool({ size: options.pool.size, ringBytes: options.pool.ringBytes, source, turns: this.#forks })
  }

  /** Where things are for brokered cells, once the zygote is ready. */
  #places(): CellPlaces | undefined {
    return this.#brokered ? this.#surroundings.places() : undefined
  }

  stats(): { sandboxes: number; pooled: number; cells: number; zygotes: number } {
    let attached = 0
    for (const link of this.#links) if (link.attached) attached++
    const pooled = this.#pool.size
    const cells = pooled + this.#links.size - attached
    return { sandboxes: this.#sandboxes, pooled, cells, zygotes: this.#zygote.alive ? 1 : 0 }
  }

  async spawn(request: SpawnRequest, attempt: Attempt): Promise<Cell> {
    try {
      if (request.isolation === 'interpreter')
        return await this.#retrying(attempt, () => this.#spawnShared(request, attempt))
      const pooled = this.#pool.take(request.ringBytes)
      return await this.#retrying(attempt, (again) => this.#spawnProcess(request, attempt, again ? undefined : pooled))
    } finally {
      this.#pool.refill()
    }
  }

  /**
   * Once more if what failed was not the sandbox but what should have brought it forth: a zygote that died
   * while forking, a pooled cell that was killed as it was taken, a shared cell that ended as it was joined.
   */
  async #retrying(attempt: Attempt, spawn: (again: boolean) => Promise<Cell>): Promise<Cell> {
    try {
      return await spawn(false)
    } catch (error) {
      attempt.check()
      if (!(error instanceof LostError)) throw error
    }
    try {
      return await spawn(true)
    } catch (error) {
      throw error instanceof LostError ? error.cause : error
    }
  }

  async #spawnProcess(request: SpawnRequest, attempt: Attempt, pooled: Link | undefined): Promise<Cell> {
    const link = pooled ?? (await this.#fork(request, attempt))
    if (pooled) {
      this.#own(pooled)
      this.#limitFrames(pooled, request)
    }
    return this.#prepare(
      link,
      request,
      attempt,
      () => pooled !== undefined && link.over,
      (cell) => {
        link.exited.then((exit) => {
          if (exit) cell.conclude(processExit(exit))
        })
      },
    )
  }

  #fork(request: SpawnRequest, attempt: Attempt): Promise<Link> {
    return this.#forks.admit(async () => {
      const zygote = this.#zygote.ready ?? (await attempt.wait(this.#zygote.acquire()))
      try {
        return this.#own(new Link('process', request, request.decode, this.#blank(request)).fork(zygote))
      } catch (error) {
        throw await this.#lost(zygote, error, 'a sandbox could not be started')
      }
    })
  }

  async #spawnShared(request: SpawnRequest, attempt: Attempt): Promise<Cell> {
    const shared = await this.#sharedCell(request, attempt)
    const leave = (): void => shared.leave()
    let link: Link
    try {
      link = await shared.join(request, attempt)
    } catch (error) {
      leave()
      const failure = spawnFailure('a sandbox could not be attached to its cell', error)
      throw codeOf(error) === 'ESRCH' ? new LostError(failure) : error instanceof SystemError ? failure : error
    }
    this.#own(link).exited.then(leave)
    this.#limitFrames(link, request)
    // A cell that ends under a sandbox still being prepared was ended by another one. Its own end may be told later.
    return this.#prepare(
      link,
      request,
      attempt,
      () => {
        if (link.fell) shared.abandon()
        return shared.closed
      },
      (cell) => shared.follow(link, cell),
    ).finally(() => shared.refill())
  }

  async #sharedCell(request: SpawnRequest, attempt: Attempt): Promise<SharedCell> {
    const name = request.cell
    if (name === undefined) throw new SpawnError('interpreter isolation needs the name of a cell')
    const joinable = (): SharedCell | undefined => {
      const known = this.#shared.get(name)
      return known?.closed === false ? known : undefined
    }
    let shared = joinable()
    if (shared) return shared
    await this.#forks.admit(async () => {
      const zygote = await attempt.wait(this.#zygote.acquire())
      shared = joinable()
      if (shared) return undefined
      try {
        shared = new SharedCell(zygote, { ...request, cell: name }, this.#places())
      } catch (error) {
        throw await this.#lost(zygote, error, 'a cell could not be started')
      }
      return this.#enlist(name, shared)
    })
    return shared!
  }

  #enlist(name: string, shared: SharedCell): Link {
    this.#shared.set(name, shared)
    this.#own(shared.link).exited.then(() => {
      if (this.#shared.get(name) === shared) this.#shared.delete(name)
    })
    return shared.link
  }

  /** From a cell that was asked for to a sandbox that answered `init`. */
  async #prepare(
    link: Link,
    request: SpawnRequest,
    attempt: Attempt,
    notItsFault: () => boolean,
    follow: (cell: NativeCell) => void,
  ): Promise<Cell> {
    try {
      const cell = new NativeCell(link, request)
      cell.surrounded(this.#surroundings)
      this.#enforce(link, cell, request)
      if (link.blank && request.initIsSure) {
        cell.confined(this.#enforcement.read(await link.ready, request.decode))
        attempt.check()
        this.#share(link, cell, request)
        link.begin(request.init, cell, request.decode)
        return this.#count(link, cell, follow)
      }
      // A share of the CPU holds from the first line on: there, `init` waits for it.
      const early = request.limits.cpu === undefined
      if (early) link.init(request.init, cell, request.decode).catch(() => {}) // `ready` is waited for first, and fails with it
      cell.confined(this.#enforcement.read(await attempt.wait(link.ready), request.decode))
      if (!early) this.#share(link, cell, request)
      const answered = link.init(request.init, cell, request.decode)
      await attempt.wait(answered)
      return this.#count(link, cell, follow)
    } catch (error) {
      const retry = link.lost || notItsFault()
      link.discard('given up')
      attempt.check()
      throw retry ? new LostError(error) : error
    }
  }

  #count(link: Link, cell: NativeCell, follow: (cell: NativeCell) => void): Cell {
    this.#sandboxes++
    link.exited.then(() => this.#sandboxes--)
    follow(cell)
    return cell
  }

  /** What a fork that threw comes to; a zygote that turned out to be dead is waited for. */
  async #lost(zygote: ZygoteHandle, error: unknown, what: string): Promise<Error> {
    const failure = spawnFailure(what, error)
    if (codeOf(error) !== 'EPIPE' && codeOf(error) !== 'ECONNRESET') return failure
    await this.#zygote.gone(zygote)
    return new LostError(failure)
  }

  #share(link: Link, cell: NativeCell, request: SpawnRequest): void {
    const { limits, isolation } = request
    if (limits.cpu === undefined || isolation !== 'process') return
    const missing = this.#cgroups().missing('cpu')
    if (missing !== undefined) throw new SpawnError(missing)
    const group = this.#cgroups().create(['cpu'])
    const watch = new ThrottleWatch(group, (lost) => request.onLimit?.({ limit: 'cpu', lost, toldBy: 'supervisor' }))
    const gone = link.exited.then(() => {
      watch.stop()
      return group.remove()
    })
    this.#groups.add(gone)
    void gone.finally(() => this.#groups.delete(gone))
    group.limit({ cpu: limits.cpu })
    group.add(link.pid)
    cell.shareBy(group)
  }

  /** Whatever it is to be, a cell starts as a blank. */
  #blank({ broker }: SpawnRequest): Uint8Array | undefined {
    const places = this.#places()
    return places && broker?.blank(places)
  }

  /** The sandbox's own table, before it gets its first frame. */
  #enforce(link: Link, cell: NativeCell, { broker }: SpawnRequest): void {
    const places = this.#places()
    if (broker === undefined || places === undefined) return
    if (broker.marksSockets === true) link.handle.markSockets(null)
    cell.brokered(places, link.handle.setPolicy(broker.table(places), true))
  }

  /** A blank was made for a frame size that its sandbox may not have. */
  #limitFrames(link: Link, { maxFrameBytes }: SpawnRequest): void {
    if (link.maxFrameBytes !== maxFrameBytes) link.handle.limitFrames(maxFrameBytes)
  }

  /** Counts a link in, and keeps the event loop alive for it, until it is over. */
  #own(link: Link): Link {
    this.#links.add(link)
    link.handle.ref()
    link.exited.then(() => this.#links.delete(link))
    return link
  }

  async close(): Promise<void> {
    const links = [...this.#links]
    for (const link of links) if (!link.attached) link.handle.kill('closed')
    // The zygote as well: a fork it never answers would be waited for in vain.
    await Promise.all([this.#pool.close(), this.#zygote.close(), ...links.map((link) => link.exited)])
    await Promise.all(this.#groups)
  }
}

/** Not the sandbox failed but its surroundings: worth another try. */
class LostError extends Error {
  constructor(cause: unknown) {
    super('lost', { cause })
  }
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | null)?.code
}

function processExit(exit: NativeExit): CellExit {
  const { code, signal, killedBy, userMs, systemMs, maxRssKiB } = exit
  return { code, signal, killedBy, userMs, systemMs, maxRssKiB }
}
