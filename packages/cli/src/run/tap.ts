import {
  type Cell,
  type CellExit,
  type Engine,
  type EngineStats,
  type Frame,
  FrameType,
  type SpawnRequest,
} from '@pyisolate/interface'
import type { Listener, StreamName } from './output.js'

/**
 * An engine whose guests' output is listened to on its way. A sandbox's own streams are text, apart from
 * its messages, and never hold the guest up; a pipe needs the bytes, in order, no faster than it takes them.
 */
export class TappedEngine implements Engine {
  readonly name: string
  readonly #engine: Engine
  readonly #listener: Listener
  readonly #cells = new Set<TappedCell>()
  #outputLeft: number

  /** Of what is printed, the listener gets as much as the guest's keeper counts before it ends it. */
  constructor(engine: Engine, listener: Listener, outputLimit: number) {
    this.name = engine.name
    this.#engine = engine
    this.#listener = listener
    this.#outputLeft = outputLimit
  }

  async spawn(request: SpawnRequest): Promise<Cell> {
    const tapped = new TappedCell()
    this.#cells.add(tapped)
    try {
      const cell = await this.#engine.spawn({
        ...request,
        onFrame: (frame) => this.#onFrame(frame, request, tapped),
        onExit: (exit) => {
          this.#cells.delete(tapped)
          request.onExit(exit)
        },
      })
      return tapped.begin(cell)
    } catch (error) {
      this.#cells.delete(tapped)
      throw error
    }
  }

  /** There is room again. */
  release(): void {
    for (const cell of this.#cells) cell.release()
  }

  stats(): EngineStats {
    return this.#engine.stats()
  }

  close(): Promise<void> {
    return this.#engine.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #onFrame(frame: Frame, request: SpawnRequest, cell: TappedCell): void {
    let room = true
    if (frame.type === FrameType.post) {
      let value: unknown
      try {
        value = request.decode(frame.payload)
      } catch {
        // The sandbox's keeper finds the same, and ends it.
        request.onFrame(frame)
        return
      }
      room = this.#listener.posted(value)
    } else {
      if (frame.type === FrameType.out) room = this.#printed('stdout', frame.payload)
      if (frame.type === FrameType.err) room = this.#printed('stderr', frame.payload)
      // Output as well: its keeper counts it.
      request.onFrame(frame)
    }
    if (!room) cell.hold()
  }

  #printed(stream: StreamName, payload: Uint8Array): boolean {
    const allowed = payload.subarray(0, this.#outputLeft)
    this.#outputLeft -= allowed.length
    return this.#listener.printed(stream, allowed)
  }
}

/** Paused while either its keeper or the tap wants it to be. */
class TappedCell implements Cell {
  /** Frames may come before `spawn` has resolved. */
  #begun: Cell | undefined
  #held = false
  #paused = false

  begin(cell: Cell): this {
    this.#begun = cell
    if (this.#held) cell.pause()
    return this
  }

  get #cell(): Cell {
    return this.#begun!
  }

  hold(): void {
    if (this.#held) return
    this.#held = true
    if (!this.#paused) this.#begun?.pause()
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    if (!this.#paused) this.#begun?.resume()
  }

  pause(): void {
    this.#paused = true
    this.#cell.pause()
  }

  resume(): void {
    this.#paused = false
    if (!this.#held) this.#cell.resume()
  }

  get pid(): number {
    return this.#cell.pid
  }
  get enforcement(): Cell['enforcement'] {
    return this.#cell.enforcement
  }
  send(...frame: Parameters<Cell['send']>): boolean {
    return this.#cell.send(...frame)
  }
  interrupt(): void {
    this.#cell.interrupt()
  }
  setDeadline(...deadline: Parameters<Cell['setDeadline']>): void {
    this.#cell.setDeadline(...deadline)
  }
  setCpuLimit(ms: number): void {
    this.#cell.setCpuLimit(ms)
  }
  setTable(table: Uint8Array): number {
    return this.#cell.setTable?.(table) ?? 0
  }
  learnName(address: string, name: string): void {
    this.#cell.learnName?.(address, name)
  }
  get places(): Cell['places'] {
    return this.#cell.places
  }
  usage(): ReturnType<Cell['usage']> {
    return this.#cell.usage()
  }
  end(graceMs: number): Promise<CellExit> {
    return this.#cell.end(graceMs)
  }
  kill(reason: string): void {
    this.#cell.kill(reason)
  }
}
