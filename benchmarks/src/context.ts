import { createSupervisor, type Supervisor, type SupervisorOptions } from '@pyisolate/core'
import { createNativeEngine, type NativeEngineOptions } from '@pyisolate/native'
import { findInterpreter, findUnconfinedEngine, type Interpreter } from './internal/files.js'
import type { LineClient } from './internal/line-client.js'
import { Floor } from './limits/floor.js'
import { startNativeLimits } from './limits/native-limits.js'

export interface ContextOptions {
  readonly quick: boolean
  readonly peers: boolean
  /** Told what is being done, for a person who waits. */
  readonly onStep: (text: string) => void
}

/** What the suites work with: supervisors, limits and the size of the run. */
export class Context {
  readonly quick: boolean
  readonly peers: boolean
  readonly step: (text: string) => void
  readonly interpreter: Interpreter = findInterpreter()

  constructor({ quick, peers, onStep }: ContextOptions) {
    this.quick = quick
    this.peers = peers
    this.step = onStep
  }

  /** The number to take, or the one for a quick run. */
  count(full: number, quick: number): number {
    return this.quick ? quick : full
  }

  supervisor(options: SupervisorOptions): Supervisor {
    return createSupervisor(options)
  }

  /** The same, over the engine without confinement; `undefined` where that was not built. */
  unconfined(poolSize: number): (Supervisor & AsyncDisposable) | undefined {
    const executable = findUnconfinedEngine()
    return executable === undefined ? undefined : this.#over({ executable, pool: poolSize })
  }

  /** The same, whose rings carry plain bytes. */
  unsealed(): Supervisor & AsyncDisposable {
    return this.#over({ pool: 0, sealed: false })
  }

  #over(options: NativeEngineOptions): Supervisor & AsyncDisposable {
    const engine = createNativeEngine(options)
    const supervisor = createSupervisor({ engine })
    // An engine that was handed in is ours to close.
    supervisor.once('close', () => void engine.close())
    return supervisor
  }

  limits(): LineClient {
    return startNativeLimits()
  }

  floor(): Floor {
    return new Floor(this.interpreter)
  }
}
