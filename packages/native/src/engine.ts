import { realpathSync } from 'node:fs'

import { type Cell, type Engine, EngineClosedError, type EngineStats, type SpawnRequest } from '@pyisolate/interface'
import { EngineOptionError } from './errors/engine-option-error.js'
import { Attempt } from './internal/attempt.js'
import { Cgroups } from './internal/cgroups/cgroups.js'
import type { LinkSize } from './internal/link.js'
import { loadAddon } from './internal/load-addon.js'
import { type EngineFiles, locateEngine, type PythonHome } from './internal/locate.js'
import { Nursery } from './internal/nursery.js'
import type { ZygoteEvent } from './internal/zygote.js'
import { createIo, type Io } from './io.js'

export interface NativeEngineOptions {
  /** Blank cells kept ready per set of preloaded modules. Each costs a process. Default 2. */
  readonly pool?: number
  /** The ring size that pooled cells are made with; spawns that ask for another one are forked when asked for. */
  readonly ringBytes?: number
  readonly onZygote?: (event: ZygoteEvent) => void
  /**
   * Whether what crosses between this process and its sandboxes is sealed, each under keys of its own. Default true: keys
   * depend on X25519, and on ML-KEM-768 as well where the libcryptos of engine and addon have it (OpenSSL 3.5 has).
   * `'hybrid'`: on both, or a spawn fails. `'x25519'`: on that alone. Only a benchmark has a reason to say false: whoever
   * can write to a sandbox's memory segment can then speak for it.
   */
  readonly sealed?: boolean | 'hybrid' | 'x25519'
  /** Paths, where the engine isn't in its usual place. */
  readonly addon?: string
  readonly executable?: string
  /** The interpreter's home, or the JSON file that names it. */
  readonly pythonHome?: string | PythonHome
}

const DEFAULT_POOL = 2
const DEFAULT_RING_BYTES = 65536

const forms: readonly unknown[] = [undefined, true, false, 'hybrid', 'x25519']

/**
 * The engine whose cells are confined CPython processes on this host. Linux only.
 * @throws EngineOptionError for a `sealed` that is none of its values
 */
export function createNativeEngine(options: NativeEngineOptions = {}): Engine {
  if (!forms.includes(options.sealed))
    throw new EngineOptionError('sealed', "true, false, 'hybrid' or 'x25519'", options.sealed)
  return new NativeEngine(options)
}

type Lists = Pick<SpawnRequest, 'preload' | 'readPaths' | 'modulePaths' | 'systemCalls'> & {
  readonly brokered: boolean
}

class NativeEngine implements Engine {
  readonly name = 'native'
  readonly #options: NativeEngineOptions
  readonly #attempts = new Set<Attempt>()
  readonly #nurseries = new Map<string, Nursery>()
  #last: { readonly request: Lists; readonly nursery: Nursery } | undefined
  #files: EngineFiles | undefined
  #cgroups: Cgroups | undefined
  #io: Io | undefined
  #closing: Promise<void> | undefined

  constructor(options: NativeEngineOptions) {
    this.#options = options
  }

  async spawn(request: SpawnRequest): Promise<Cell> {
    if (this.#closing) throw new EngineClosedError('the engine is closed')
    const attempt = new Attempt(request.signal)
    this.#attempts.add(attempt)
    try {
      attempt.check()
      return await this.#nursery(request).spawn(request, attempt)
    } finally {
      attempt.finish()
      this.#attempts.delete(attempt)
    }
  }

  cpuShareMissing(): string | undefined {
    return this.#groups().missing('cpu')
  }

  stats(): EngineStats {
    const sum = { sandboxes: 0, pooled: 0, cells: 0, zygotes: 0 }
    for (const nursery of this.#nurseries.values()) {
      const { sandboxes, pooled, cells, zygotes } = nursery.stats()
      sum.sandboxes += sandboxes
      sum.pooled += pooled
      sum.cells += cells
      sum.zygotes += zygotes
    }
    return sum
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    for (const attempt of this.#attempts) attempt.cancel(new EngineClosedError('the engine was closed'))
    await Promise.all([...this.#nurseries.values()].map((nursery) => nursery.close()))
    this.#cgroups?.close()
    await this.#io?.close()
  }

  /** One I/O thread for all sandboxes, started when the first asks for something. @throws IoUnavailableError */
  #openIo(addon: string): Io {
    if (this.#closing) throw new EngineClosedError('the engine is closed')
    this.#io ??= createIo({ addon })
    return this.#io
  }

  /** Groups are made when the first sandbox needs one. */
  #groups(): Cgroups {
    this.#cgroups ??= Cgroups.open()
    return this.#cgroups
  }

  #nursery(request: SpawnRequest): Nursery {
    // Nearly always the same three lists, one supervisor's.
    const last = this.#last
    if (
      last?.request.preload === request.preload &&
      last.request.readPaths === request.readPaths &&
      last.request.modulePaths === request.modulePaths &&
      last.request.systemCalls === request.systemCalls &&
      last.request.brokered === (request.broker !== undefined)
    )
      return last.nursery
    const { preload, readPaths, modulePaths, systemCalls, broker } = request
    const brokered = broker !== undefined
    const key = JSON.stringify([preload, readPaths, modulePaths, systemCalls, brokered])
    let nursery = this.#nurseries.get(key)
    if (!nursery) {
      this.#files ??= locateEngine(this.#options)
      const { executable, home, addon } = this.#files
      let stdlib: string | undefined
      nursery = new Nursery({
        addon: loadAddon(addon),
        command: { executable, args: zygoteArguments(home, request), sealed: this.#options.sealed },
        preload: request.preload,
        pool: { size: this.#options.pool ?? DEFAULT_POOL, ...this.#poolCells(request) },
        onZygote: this.#options.onZygote ?? (() => {}),
        cgroups: () => this.#groups(),
        broker: broker && { blank: broker.blank },
        stdlib: () => {
          stdlib ??= realpathSync(home.stdlib)
          return stdlib
        },
        io: () => this.#openIo(addon),
      })
      this.#nurseries.set(key, nursery)
    }
    this.#last = { request: { preload, readPaths, modulePaths, systemCalls, brokered }, nursery }
    return nursery
  }

  #poolCells(request: SpawnRequest): LinkSize {
    return { ringBytes: this.#options.ringBytes ?? DEFAULT_RING_BYTES, maxFrameBytes: request.maxFrameBytes }
  }
}

function zygoteArguments(home: PythonHome, request: SpawnRequest): string[] {
  const list = ['zygote', '--supervisor', String(process.pid), '--home', home.prefix, '--stdlib', home.stdlib]
  for (const path of request.readPaths) list.push('--read', path)
  for (const name of request.preload) list.push('--preload', name)
  for (const path of request.modulePaths) list.push('--path', path)
  if (request.broker !== undefined) list.push('--broker', 'files-and-sockets')
  for (const name of request.systemCalls?.allow ?? []) list.push('--allow-call', name)
  for (const name of request.systemCalls?.deny ?? []) list.push('--deny-call', name)
  return list
}
