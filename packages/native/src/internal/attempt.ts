import { deferred } from './deferred.js'

/** One `spawn` under way: it can be given up by its caller's signal or by the engine's end, at every wait. */
export class Attempt {
  readonly #gone = deferred<never>()
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.cancel(this.#signal?.reason)
  #listening = false
  #cancelled: { readonly reason: unknown } | undefined

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal
  }

  cancel(reason: unknown): void {
    this.#cancelled ??= { reason }
    this.#gone.reject(reason)
  }

  /** @throws the reason it was given up for */
  check(): void {
    if (this.#signal?.aborted) this.#onAbort()
    if (this.#cancelled) throw this.#cancelled.reason
  }

  async wait<T>(promise: Promise<T>): Promise<T> {
    if (this.#cancelled || this.#signal?.aborted) promise.catch(() => {}) // nobody waits for it any more
    this.check()
    this.#listen()
    const value = await Promise.race([promise, this.#gone.promise])
    this.check()
    return value
  }

  finish(): void {
    if (this.#listening) this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  /** From the first wait on: a spawn from the pool may have none. */
  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
  }
}
