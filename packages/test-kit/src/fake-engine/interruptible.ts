import { FakeException } from './types.js'

/** Where a fake guest waits: an interrupt raises there, or at the next wait if it comes in between. */
export class Interruptible {
  #reject: ((error: unknown) => void) | undefined
  #pending = false
  #stopped = false
  readonly #timers = new Set<NodeJS.Timeout>()

  interrupt(): void {
    if (this.#reject === undefined) this.#pending = true
    else this.#reject(new FakeException('KeyboardInterrupt'))
  }

  /** Nothing that waits ever goes on: its guest is dead. */
  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resolve()
      }, ms)
      this.#timers.add(timer)
    })
  }

  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (then: () => void) => {
        this.#reject = undefined
        if (!this.#stopped) then()
      }
      this.#reject = (error) => settle(() => reject(error))
      promise.then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      )
      if (this.#pending) {
        this.#pending = false
        this.#reject(new FakeException('KeyboardInterrupt'))
      }
    })
  }
}
