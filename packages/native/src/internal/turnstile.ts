import { type Deferred, deferred } from './deferred.js'

/** Requests that a control socket is sure to hold. */
const MOST_AT_ONCE = 32

interface Made {
  readonly ready: Promise<unknown>
  readonly exited: Promise<unknown>
}

/**
 * Lets so many through at a time, in order of arrival. Requests on a control socket go through one: its other end takes
 * them one after the other anyway, and it holds only so many requests and descriptors (unix(7), ETOOMANYREFS).
 */
export class Turnstile {
  readonly #waiting: Deferred<void>[] = []
  #free: number

  constructor(most: number) {
    this.#free = most
  }

  /** Whether there was room at once; if not, `enter`. */
  tryEnter(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  enter(): Promise<void> {
    if (this.tryEnter()) return Promise.resolve()
    const turn = deferred<void>()
    this.#waiting.push(turn)
    return turn.promise
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next) next.resolve()
    else this.#free++
  }

  /** What `make` asks for keeps its place until it answers, in whatever way: its descriptors have left the socket then. */
  async admit<T extends Made | undefined>(make: () => T | Promise<T>): Promise<T> {
    if (!this.tryEnter()) await this.enter()
    const leave = (): void => this.leave()
    let made: T
    try {
      made = await make()
    } catch (error) {
      leave()
      throw error
    }
    if (made) Promise.race([made.ready, made.exited]).then(leave, leave)
    else leave()
    return made
  }
}

/** For one control socket. */
export function requestTurns(): Turnstile {
  return new Turnstile(MOST_AT_ONCE)
}
