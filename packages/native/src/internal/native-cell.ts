import {
  type Cell,
  type CellExit,
  type CellPlaces,
  type CellServices,
  type CellUsage,
  type DeadlineSlot,
  type Denial,
  type Enforcement,
  FrameType,
  type LimitReached,
  type SocketMark,
  type SpawnRequest,
} from '@pyisolate/interface'

import type { Io } from '../io.js'
import { NativeServices } from './cell-services.js'
import type { Group } from './cgroups/group.js'
import { deferred } from './deferred.js'
import { hostThread } from './host-thread.js'
import type { Link, LinkOwner } from './link.js'

/** Beside the caller's deadlines the addon keeps one for us: that of `end`. */
const END_SLOT = 2
const NO_RULE = 0xffffffff
/** In the addon's order. */
const operations = ['read', 'write', 'exec', 'connect', 'bind', 'sendto', 'socket', 'call', 'limit'] as const
/** In the segment's order. */
const refusals = ['memory', 'threads', 'openFiles', 'fileSize'] as const
const nothing = new Uint8Array(0)

export interface Surroundings {
  places(): CellPlaces | undefined
  /** Of a system call that is denied by name. */
  callName(number: string): string | undefined
  io(): Io
}

/** A running sandbox, in a process of its own or in a shared one: the difference is the addon's. */
export class NativeCell implements Cell, LinkOwner {
  readonly #link: Link
  readonly #request: SpawnRequest
  readonly #exit = deferred<CellExit>()
  #enforcement: Enforcement = []
  #places: CellPlaces | undefined
  #surroundings: Surroundings | undefined
  #services: CellServices | undefined
  #before = 0
  #group: Group | undefined

  constructor(link: Link, request: SpawnRequest) {
    this.#link = link
    this.#request = request
  }

  /** Before anybody gets to see it. */
  confined(enforcement: Enforcement): void {
    this.#enforcement = enforcement
  }

  get enforcement(): Enforcement {
    return this.#enforcement
  }

  get name(): string {
    return this.#request.name
  }

  get pid(): number {
    return this.#link.pid
  }

  get thread(): number | undefined {
    if (!this.#link.attached) return this.#link.pid
    return hostThread(this.#link.pid, this.#link.handle.guestThread)
  }

  send(type: FrameType, id: number, payload: Uint8Array): boolean {
    return this.#link.handle.send(type, id, payload)
  }

  pause(): void {
    this.#link.handle.pause()
  }

  resume(): void {
    this.#link.handle.resume()
  }

  interrupt(): void {
    this.#link.handle.interrupt(1)
  }

  setDeadline(slot: DeadlineSlot, softMs: number, hardMs: number, reason: string): void {
    this.#link.handle.setDeadline(slot, softMs, hardMs, reason)
  }

  get places(): CellPlaces | undefined {
    return this.#places ?? this.#surroundings?.places()
  }

  get services(): CellServices | undefined {
    const surroundings = this.#surroundings
    if (surroundings === undefined) return undefined
    this.#services ??= new NativeServices(this.#link.handle, surroundings.io, this.#request.limits.fileSize ?? 0)
    return this.#services
  }

  /** What it shares with its neighbours. */
  surrounded(surroundings: Surroundings): void {
    this.#surroundings = surroundings
  }

  /** Its own table has been put in force as this generation; those before were a blank's. */
  brokered(places: CellPlaces, generation: number): void {
    this.#places = places
    this.#before = generation - 1
  }

  setTable(table: Uint8Array): number {
    return Math.max(0, this.#link.handle.setPolicy(table, false) - this.#before)
  }

  learnName(address: string, name: string): void {
    this.#link.handle.learnName(address, name)
  }

  markSockets(marks: readonly SocketMark[]): void {
    this.#link.handle.markSockets(marks)
  }

  setCpuLimit(ms: number): void {
    this.#link.handle.setCpuLimit(ms)
  }

  shareBy(group: Group): void {
    this.#group = group
  }

  setCpuShare(processors: number): void {
    this.#group?.limit({ cpu: processors })
  }

  usage(): CellUsage {
    return this.#link.handle.usage()
  }

  end(graceMs: number): Promise<CellExit> {
    const { handle } = this.#link
    handle.send(FrameType.close, 0, nothing)
    handle.resume() // its last frames must not wait for a paused reader
    if (graceMs > 0) handle.setDeadline(END_SLOT, Number.POSITIVE_INFINITY, graceMs, 'closed')
    else handle.kill('closed')
    return this.#exit.promise
  }

  kill(reason: string): void {
    this.#link.handle.kill(reason)
  }

  /** Tells its end, once. */
  conclude(exit: CellExit): void {
    this.#exit.resolve(exit)
    this.#request.onExit(exit)
  }

  onFrame(type: number, id: number, payload: Uint8Array): void {
    this.#request.onFrame({ type, id, payload })
  }

  onDrain(): void {
    this.#request.onDrain()
  }

  onDenied(
    operation: number,
    object: string,
    rule: number,
    generation: number,
    errno: number,
    lost: number,
    allowed: boolean,
    kill: boolean,
  ): void {
    const { broker } = this.#request
    const named = operations[operation]!
    // Before it was anybody's, while its interpreter was made.
    if (generation <= this.#before) return
    if (named === 'limit') {
      this.#request.onLimit?.({ limit: object as LimitReached['limit'], lost, toldBy: 'supervisor' })
      return
    }
    const denial: Denial = {
      operation: named,
      object: named === 'call' ? (this.#surroundings?.callName(object) ?? `system call ${object}`) : object,
      rule: rule === NO_RULE ? undefined : rule,
      generation: generation - this.#before,
      errno,
      lost,
      allowed,
      kill,
    }
    if (broker !== undefined) broker.onDenial(denial)
    else this.#request.onDenial?.(denial)
  }

  onRefused(limit: number, count: number): void {
    this.#request.onLimit?.({ limit: refusals[limit]!, lost: count - 1, toldBy: 'guest' })
  }

  onCorrupt(detail: string): void {
    this.#request.onCorrupt(detail)
  }
}
