import { type FSWatcher, statSync, watch } from 'node:fs'

/** Watches a set of folders that changes. */
export class FolderWatchers {
  /** By the folder's path and identity: another folder in its place is another one to watch. */
  readonly #watchers = new Map<string, FSWatcher>()
  #complete = true

  constructor(private readonly onChange: () => void) {}

  /** Whether every folder is watched. */
  get complete(): boolean {
    return this.#complete
  }

  /** @returns whether some are watched that were not before: what changed there until now, nobody has told */
  set(folders: ReadonlySet<string>): boolean {
    const wanted = new Map<string, string>()
    for (const folder of folders) {
      const identity = identityOf(folder)
      if (identity !== undefined) wanted.set(`${identity}:${folder}`, folder)
    }
    for (const [key, watcher] of this.#watchers) {
      if (wanted.has(key)) continue
      watcher.close()
      this.#watchers.delete(key)
    }
    this.#complete = wanted.size === folders.size
    let added = false
    for (const [key, folder] of wanted) added = this.#add(key, folder) || added
    return added
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  #add(key: string, folder: string): boolean {
    if (this.#watchers.has(key)) return false
    try {
      const watcher = watch(folder, () => this.onChange())
      watcher.on('error', () => this.#lose(key, watcher))
      this.#watchers.set(key, watcher)
      return true
    } catch {
      // Out of watches (inotify(7)), or no right to: `complete` says it, and looking again finds changes later.
      this.#complete = false
      return false
    }
  }

  #lose(key: string, watcher: FSWatcher): void {
    watcher.close()
    if (this.#watchers.get(key) === watcher) this.#watchers.delete(key)
    this.#complete = false
    this.onChange()
  }
}

function identityOf(folder: string): string | undefined {
  try {
    const { dev, ino } = statSync(folder, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined // gone since it was found, which `complete` then says
  }
}
