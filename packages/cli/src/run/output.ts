import type { Writable } from 'node:stream'

export type StreamName = 'stdout' | 'stderr'

/** Gets what a guest prints and posts, in its order. Each answers whether there is room for more. */
export interface Listener {
  printed(stream: StreamName, bytes: Uint8Array): boolean
  posted(value: unknown): boolean
}

export interface OutputEvents {
  /** After a `write` that returned false: both streams take more. */
  onRoom(): void
  /** Nobody takes it any more (`EPIPE`), or it can't be written. Told once for each stream. */
  onBroken(error: NodeJS.ErrnoException): void
}

/** The command's own stdout and stderr, with one answer to whether there is room for more. */
export class Output implements Disposable {
  readonly #streams: ReadonlyMap<StreamName, Writable>
  readonly #broken = new Set<StreamName>()
  readonly #events: OutputEvents
  readonly #release: (() => void)[] = []

  constructor(streams: Readonly<Record<StreamName, Writable>>, events: OutputEvents) {
    this.#streams = new Map([
      ['stdout', streams.stdout],
      ['stderr', streams.stderr],
    ])
    this.#events = events
    for (const [name, stream] of this.#streams) {
      const onDrain = (): void => {
        if (this.hasRoom) events.onRoom()
      }
      const onError = (error: NodeJS.ErrnoException): void => this.#break(name, error)
      stream.on('drain', onDrain).on('error', onError)
      this.#release.push(() => stream.off('drain', onDrain).off('error', onError))
    }
  }

  /** True as well once one is broken: a guest is then ended, not held up. */
  get hasRoom(): boolean {
    return this.#broken.size > 0 || ![...this.#streams.values()].some((stream) => stream.writableNeedDrain)
  }

  /** `false`: write no more before `onRoom`. */
  write(name: StreamName, data: Uint8Array | string): boolean {
    if (!this.#broken.has(name) && data.length > 0) this.#streams.get(name)!.write(data)
    return this.hasRoom
  }

  /** Resolves when all of it is written, or can't be. */
  async flush(): Promise<void> {
    const sound = [...this.#streams].filter(([name]) => !this.#broken.has(name))
    await Promise.all(sound.map(([, stream]) => new Promise<void>((resolve) => stream.write('', () => resolve()))))
  }

  [Symbol.dispose](): void {
    for (const release of this.#release) release()
  }

  #break(name: StreamName, error: NodeJS.ErrnoException): void {
    if (this.#broken.has(name)) return
    this.#broken.add(name)
    this.#events.onBroken(error)
    this.#events.onRoom()
  }
}
