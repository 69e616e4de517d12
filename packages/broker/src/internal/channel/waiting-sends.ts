import type { FrameKind } from './frame.js'

/** A send that there is no room for yet. */
export interface WaitingSend {
  readonly kind: FrameKind
  readonly bytes: Uint8Array
  /** Up to here it has gone already. */
  at: number
}

interface Waiting extends WaitingSend {
  settle(error?: unknown): void
}

/** Sends that wait, first come, first served. */
export class WaitingSends {
  readonly #waiting: Waiting[] = []

  get length(): number {
    return this.#waiting.length
  }

  get first(): WaitingSend | undefined {
    return this.#waiting[0]
  }

  /**
   * Resolves or rejects with `settleFirst`, or with `signal.reason`: but one whose first part is on its way goes all the
   * way, as half a message would be worse.
   */
  add(kind: FrameKind, bytes: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        const at = this.#waiting.indexOf(one)
        if (at < 0 || one.at > 0) return
        this.#waiting.splice(at, 1)
        one.settle(signal?.reason)
      }
      const one: Waiting = {
        kind,
        bytes,
        at: 0,
        settle(error) {
          signal?.removeEventListener('abort', onAbort)
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      signal?.addEventListener('abort', onAbort)
      this.#waiting.push(one)
    })
  }

  /** It waits no more: it has gone, or has failed with `error`. */
  settleFirst(error?: unknown): void {
    this.#waiting.shift()?.settle(error)
  }

  reject(error: unknown): void {
    for (const one of this.#waiting.splice(0)) one.settle(error)
  }
}
