import {
  type Cell,
  type Engine,
  EngineClosedError,
  type EngineStats,
  SpawnError,
  type SpawnRequest,
} from '@pyisolate/interface'
import { FakeCell } from './fake-cell.js'
import type { FakeScript } from './types.js'

export interface FakeEngineOptions {
  /** Plays every guest. Default: answers everything with `null`. */
  readonly script?: FakeScript
  /** Milliseconds that a spawn takes. Default 0. */
  readonly spawnDelay?: number
  /** Called by each spawn; what it throws is what the spawn rejects with. */
  readonly onSpawn?: (request: SpawnRequest) => void
}

/** An engine in memory: no process, no Python, nothing confined. */
export class FakeEngine implements Engine {
  readonly name = 'fake'
  readonly #options: FakeEngineOptions
  readonly #cells = new Map<FakeCell, SpawnRequest>()
  #closed = false

  constructor(options: FakeEngineOptions = {}) {
    this.#options = options
  }

  async spawn(request: SpawnRequest): Promise<Cell> {
    if (this.#closed) throw new EngineClosedError('the engine is closed')
    request.signal?.throwIfAborted()
    this.#options.onSpawn?.(request)
    try {
      request.decode(request.init)
    } catch (cause) {
      throw new SpawnError('the sandbox did not take its init', { cause })
    }
    await new Promise((resolve) => setTimeout(resolve, this.#options.spawnDelay ?? 0))
    request.signal?.throwIfAborted()
    if (this.#closed) throw new EngineClosedError('the engine is closed')
    const cell = new FakeCell(request, this.#options.script ?? (() => null))
    this.#cells.set(cell, request)
    void cell.exited.then(() => this.#cells.delete(cell))
    return cell
  }

  /** Kills a shared cell, as if on account of one of its sandboxes (`culprit`), or by a signal. */
  killCell(name: string, how: { culprit?: string; reason?: string; signal?: number } = {}): void {
    const { culprit = null, reason = null, signal = 9 } = how
    for (const [cell, request] of this.#cells) {
      if (request.cell === name) cell.die({ code: null, signal, killedBy: reason, cell: { name, culprit } })
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const cells = [...this.#cells.keys()]
    for (const cell of cells) cell.kill('closed')
    await Promise.all(cells.map((cell) => cell.exited))
  }

  stats(): EngineStats {
    return { sandboxes: this.#cells.size, pooled: 0, cells: this.#cells.size, zygotes: 0 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
