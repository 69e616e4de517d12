import { type CellExit, type CellPlaces, FrameType, type SpawnRequest } from '@pyisolate/interface'

import type { NativeExit, ZygoteHandle } from './addon.js'
import type { Attempt } from './attempt.js'
import { Link, type LinkOwner } from './link.js'
import type { NativeCell } from './native-cell.js'
import { Pool } from './pool.js'
import { requestTurns } from './turnstile.js'

const END_GRACE_MS = 500
const nothing = new Uint8Array(0)

/** A named cell of interpreter isolation: one process, a sandbox per interpreter. It ends with its last sandbox. */
export class SharedCell {
  readonly link: Link
  readonly #name: string
  readonly #places: CellPlaces | undefined
  readonly #started: Promise<void>
  readonly #blanks: Pool
  readonly #turns = requestTurns()
  readonly #dead: { cell: NativeCell; exit: NativeExit }[] = []
  #users = 0
  #attached = 0
  #culprit: { readonly name: string; readonly killedBy: string } | undefined
  #over = false

  /** `places`: of a cell whose sandboxes are brokered. */
  constructor(zygote: ZygoteHandle, request: SpawnRequest & { readonly cell: string }, places?: CellPlaces) {
    this.#name = request.cell
    this.#places = places
    this.link = new Link('interpreter', request, request.decode).fork(zygote)
    const { ringBytes, maxFrameBytes } = request
    const blank = places && request.broker?.blank(places)
    const source = async () => () =>
      new Link('interpreter', { ringBytes, maxFrameBytes }, undefined, blank).attach(this.link.handle)
    this.#blanks = new Pool({ size: request.warm ?? 0, ringBytes, source, turns: this.#turns })
    this.#started = this.#start(request)
    this.#started.catch(() => this.link.discard('never started'))
    this.link.exited.then(() => {
      this.#over = true
      this.#blanks.abandon()
      this.#tellDead()
    })
  }

  /** Nobody can join it any more: ending, or dead. */
  get closed(): boolean {
    return this.#over || this.link.over
  }

  async #start(request: SpawnRequest): Promise<void> {
    // `ready` fails with it.
    await Promise.all([this.link.ready, this.link.init(request.cellInit?.() ?? nothing, this.#owner(), request.decode)])
  }

  /** The cell's own segment carries nothing but its start and end. */
  #owner(): LinkOwner {
    return { onFrame: () => {}, onDrain: () => {}, onCorrupt: () => this.link.handle.kill('protocol') }
  }

  /** Starts a sandbox in it; every `join` is matched by a `leave`. */
  async join(request: SpawnRequest, attempt: Attempt): Promise<Link> {
    this.#users++
    await attempt.wait(this.#started)
    const blank = this.#blanks.take(request.ringBytes)
    if (blank) return blank
    const table = this.#places && request.broker?.blank(this.#places)
    return this.#turns.admit(() => {
      attempt.check()
      return new Link('interpreter', request, request.decode, table).attach(this.link.handle)
    })
  }

  /** Sees to it that there are blanks for the sandboxes to come. */
  refill(): void {
    if (!this.closed) this.#blanks.refill()
  }

  /** For who has seen it end before it said so itself. */
  abandon(): void {
    this.#over = true
    this.#blanks.abandon()
  }

  leave(): void {
    if (--this.#users > 0 || this.closed) return
    this.#over = true
    this.#blanks.abandon()
    const { handle } = this.link
    handle.send(FrameType.close, 0, nothing)
    handle.setDeadline(2, Number.POSITIVE_INFINITY, END_GRACE_MS, 'closed')
  }

  /** Reports the end of a sandbox that ran in it. Those that die with the cell learn whose fault it was first. */
  follow(link: Link, cell: NativeCell): void {
    this.#attached++
    link.exited.then((exit) => {
      this.#attached--
      if (exit === undefined) return
      if (exit.endedAlone) {
        cell.conclude(cellExit(exit))
      } else {
        this.#dead.push({ cell, exit })
        if (exit.killedBy !== null) this.#culprit ??= { name: cell.name, killedBy: exit.killedBy }
      }
      this.#tellDead()
    })
  }

  #tellDead(): void {
    if (this.#attached > 0 || !this.#over) return
    const died = { name: this.#name, culprit: this.#culprit?.name ?? null }
    for (const { cell, exit } of this.#dead.splice(0)) {
      const end = cellExit(exit)
      cell.conclude({ ...end, killedBy: end.killedBy ?? this.#culprit?.killedBy ?? null, cell: died })
    }
  }
}

/** CPU time and memory are the process's: of a shared cell no sandbox can claim them. */
function cellExit(exit: NativeExit): CellExit {
  const { code, signal, killedBy, cellKilledBy } = exit
  return { code, signal, killedBy: killedBy ?? cellKilledBy, userMs: 0, systemMs: 0, maxRssKiB: 0 }
}
