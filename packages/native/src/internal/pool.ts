import type { Link } from './link.js'
import type { Turnstile } from './turnstile.js'

const REPLACE_AFTER_MS = 100
/** A fork right behind a spawn would compete with the sandbox's first lines; so it comes when those have run. */
const REFILL_AFTER_MS = 2

export interface PoolOptions {
  readonly size: number
  readonly ringBytes: number
  /** What makes one blank, once there is something to make it from. */
  source(): Promise<() => Link>
  /** Shared with whoever asks on the same control socket. */
  readonly turns: Turnstile
}

/** Blank sandboxes, confined and waiting to be somebody's: cells of one zygote, or interpreters of one shared cell. */
export class Pool {
  readonly #options: PoolOptions
  readonly #blanks: Link[] = []
  #soon = false
  #filling = false
  #later: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#blanks.length
  }

  /** A blank with rings of this size, if there is one. */
  take(ringBytes: number): Link | undefined {
    if (ringBytes !== this.#options.ringBytes) return undefined
    // One that is ready comes before one that is still being forked.
    const at = Math.max(
      this.#blanks.findIndex((link) => link.blank),
      0,
    )
    return this.#blanks.splice(at, 1)[0]
  }

  /** Makes what is missing, a little later: not in the way of the spawn that took one. At once when it took the last. */
  refill(): void {
    if (this.#closed || this.#blanks.length >= this.#options.size) return
    if (this.#blanks.length > 0) {
      this.#later ??= setTimeout(() => this.#fill(), REFILL_AFTER_MS).unref()
    } else if (!this.#soon) {
      this.#soon = true
      setImmediate(() => this.#fill()).unref()
    }
  }

  async #fill(): Promise<void> {
    clearTimeout(this.#later)
    this.#later = undefined
    this.#soon = false
    if (this.#filling) return
    this.#filling = true
    try {
      const make = await this.#options.source()
      while (this.#lacks()) {
        await this.#options.turns.admit(() => (this.#lacks() ? this.#add(make()) : undefined))
      }
    } catch {
      // No zygote, no descriptors: the next spawn meets the same and says so.
    } finally {
      this.#filling = false
    }
  }

  #lacks(): boolean {
    return !this.#closed && this.#blanks.length < this.#options.size
  }

  #add(link: Link): Link {
    this.#blanks.push(link)
    let sound = false
    link.ready.then(
      () => (sound = true),
      () => {},
    )
    link.exited.then(() => {
      const at = this.#blanks.indexOf(link)
      if (at < 0) return
      this.#blanks.splice(at, 1)
      // One that never got ready would only be followed by its like.
      if (sound) setTimeout(() => this.refill(), REPLACE_AFTER_MS).unref()
    })
    return link
  }

  /** Makes no more; what there is ends with its cell. */
  abandon(): void {
    this.#closed = true
    clearTimeout(this.#later)
  }

  /** Ends the blanks; resolves when they are reaped. */
  async close(): Promise<void> {
    this.abandon()
    const links = this.#blanks.splice(0)
    for (const link of links) {
      link.handle.ref()
      link.discard('closed')
    }
    await Promise.all(links.map((link) => link.exited))
  }
}
