import { type Deferred, deferred } from './deferred.js'

/**
 * Lets so many through at a time, in order of arrival. Forks go through one: the zygote makes them one after
 * the other anyway, and its control socket holds only so many requests and descriptors (unix(7), ETOOMANYREFS).
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
}
