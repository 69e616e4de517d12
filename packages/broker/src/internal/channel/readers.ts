/** Those who wait until there is something to read, or never will be. */
export class Readers {
  readonly #waiting = new Set<() => void>()

  wake(): void {
    if (this.#waiting.size === 0) return
    const woken = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of woken) resolve()
  }

  /** Resolves at the next `wake`, or when `signal` is aborted. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        this.#waiting.delete(settle)
        signal?.removeEventListener('abort', settle)
        resolve()
      }
      this.#waiting.add(settle)
      signal?.addEventListener('abort', settle)
    })
  }
}
