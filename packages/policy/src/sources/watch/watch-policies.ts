import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CheckedSource, milliseconds } from '../checked-source.js'
import type { PolicySource } from '../policy-source.js'
import { PolicySourceError } from '../policy-source-error.js'
import { FolderWatchers } from './folder-watchers.js'
import { foldersOf } from './folders.js'
import { listPolicies } from './list-policies.js'
import { Settling } from './settling.js'
import type { WatchOptions, WatchStatus } from './watch-status.js'
import { WatchedFile } from './watched-file.js'

/** Events come in bursts. */
const burst = 20
/** Of `settle`: a file that is never left alone for that long is reported. */
const patience = 50

/**
 * Policies of a file, or of every `*.yaml` of a folder, read again when they change, or when a file that they extend
 * does. Files may be replaced by a rename, written in place, or be symbolic links that change what they lead to, as
 * Kubernetes mounts them. A file that is deleted or spoiled leaves its last good policy, and `status()` tells.
 * @throws PolicySourceError for options that aren't what they should be; later ones are in `status()`
 */
export function watchPolicies(path: string, options: WatchOptions = {}): PolicySource<WatchStatus> {
  return new WatchedPolicies(resolve(path), options).start(options.signal)
}

class WatchedPolicies extends CheckedSource<WatchStatus> {
  readonly #settle: number
  readonly #recheck: number
  readonly #watchers = new FolderWatchers(() => this.#wake(burst))
  readonly #files = new Map<string, WatchedFile>()
  #isFolder = false
  #timer: NodeJS.Timeout | undefined
  #due = Number.POSITIVE_INFINITY

  constructor(
    private readonly path: string,
    options: WatchOptions,
  ) {
    const start = { state: 'starting', lastChecked: undefined, lastChanged: undefined, error: undefined } as const
    super({ from: path, ...start, files: [], events: false })
    this.#settle = milliseconds(path, 'settle', options.settle, 100, 20)
    this.#recheck = milliseconds(path, 'recheck', options.recheck, 10_000)
  }

  protected override async look(signal: AbortSignal): Promise<Partial<WatchStatus>> {
    const settling = new Settling(this.#settle)
    const end = Date.now() + patience * this.#settle
    let held: number | undefined
    for (;;) {
      const { error, left } = this.#scan(settling, Date.now() >= end)
      // What was written together is told together, by name: which of them was settled first is chance.
      if (left > 0 && this.#holds()) held ??= Date.now()
      if (left === 0 || (held !== undefined && Date.now() - held >= this.#settle)) {
        this.#publish()
        held = undefined
      }
      const news = this.#watchers.set(this.#folders())
      if (left === 0 && !news) return this.#found(error)
      await sleep(left, undefined, { signal }).catch(() => {}) // closed: whoever asked is told so
      if (signal.aborted) return {}
    }
  }

  protected override rest(closed: boolean): void {
    if (closed) {
      clearTimeout(this.#timer)
      this.#watchers.close()
    } else {
      this.#wake(this.#recheck)
    }
  }

  /** Everything once; `left`: for how long some file must be left alone to be read. */
  #scan(settling: Settling, late: boolean): { error: PolicySourceError | undefined; left: number } {
    let files: ReadonlyMap<string, string>
    try {
      ;({ files, folder: this.#isFolder } = listPolicies(this.path))
    } catch (error) {
      if (!PolicySourceError.isInstance(error)) throw error
      for (const file of this.#files.values()) file.gone(error)
      return { error, left: 0 }
    }
    for (const [name, file] of files) if (!this.#files.has(name)) this.#files.set(name, new WatchedFile(name, file))
    let left = 0
    for (const file of this.#files.values()) left = Math.max(left, file.look(settling, late))
    return { error: undefined, left }
  }

  #holds(): boolean {
    return [...this.#files.values()].some(({ changed }) => changed)
  }

  #publish(): void {
    for (const file of [...this.#files.values()].sort(byName)) {
      const update = file.take()
      if (update !== undefined) this.feed.publish(update)
    }
  }

  #folders(): ReadonlySet<string> {
    // A folder has to be watched itself, also while it is empty.
    const folders = new Set(foldersOf(this.#isFolder ? join(this.path, 'any') : this.path))
    for (const file of this.#files.values())
      for (const input of file.inputs) for (const one of foldersOf(input)) folders.add(one)
    return folders
  }

  #found(error: PolicySourceError | undefined): Partial<WatchStatus> {
    const files = [...this.#files.values()].map((file) => file.status).sort(byName)
    const bad = files.find(({ state }) => state === 'failing') ?? files.find(({ state }) => state === 'missing')
    const changes = files.flatMap(({ lastChanged }) => (lastChanged === undefined ? [] : [lastChanged.getTime()]))
    const own = error === undefined ? undefined : error.problem === 'missing' ? 'missing' : 'failing'
    return {
      state: own ?? bad?.state ?? 'current',
      error: error ?? bad?.error,
      lastChanged: changes.length === 0 ? undefined : new Date(Math.max(...changes)),
      files,
      events: this.#watchers.complete,
    }
  }

  /** Looks in `ms` milliseconds, or when it is to happen anyway, if that is earlier. */
  #wake(ms: number): void {
    const due = Date.now() + ms
    if (this.closed || due >= this.#due) return
    clearTimeout(this.#timer)
    this.#due = due
    this.#timer = setTimeout(() => {
      this.#due = Number.POSITIVE_INFINITY
      void this.check()
    }, ms)
  }
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1
}
