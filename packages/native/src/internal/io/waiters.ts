import { IoTimeoutError } from '../../errors/io-timeout-error.js'
import type { OperationOptions } from './port.js'

interface Waiter<T> {
  settle(): void
  readonly resolve: (value: T | undefined) => void
  readonly reject: (error: unknown) => void
}

/** What has come and nobody has taken, or those who wait for it; then the end. */
export class Waiters<T> {
  readonly #items: T[] = []
  readonly #waiting = new Set<Waiter<T>>()
  readonly #operation: string
  #end: { readonly error: Error | undefined } | undefined

  constructor(
    operation: string,
    private readonly taken: (item: T) => void,
  ) {
    this.#operation = operation
  }

  put(item: T): void {
    const [first] = this.#waiting
    if (first === undefined) {
      this.#items.push(item)
      return
    }
    first.settle()
    this.taken(item)
    first.resolve(item)
  }

  /** What is there is still handed out, unless it is to be dropped. */
  finish(error: Error | undefined, drop = false): T[] {
    this.#end ??= { error }
    for (const waiter of this.#waiting) {
      waiter.settle()
      if (error === undefined) waiter.resolve(undefined)
      else waiter.reject(error)
    }
    return drop ? this.#items.splice(0) : []
  }

  /** Over, whatever was to come or has come. Gives what nobody has taken. */
  revoke(error: Error): T[] {
    this.#end = { error }
    return this.finish(error, true)
  }

  /** `undefined` at the end. @throws IoTimeoutError, the error it ended with, or `signal.reason` */
  take({ signal, timeout }: OperationOptions): Promise<T | undefined> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#items.length > 0) {
      const item = this.#items.shift()!
      this.taken(item)
      return Promise.resolve(item)
    }
    if (this.#end !== undefined)
      return this.#end.error === undefined ? Promise.resolve(undefined) : Promise.reject(this.#end.error)
    return new Promise((resolve, reject) => {
      const onAbort = () => give(signal?.reason)
      const give = (reason: unknown) => {
        waiter.settle()
        reject(reason)
      }
      const timer =
        timeout === undefined || timeout === Number.POSITIVE_INFINITY
          ? undefined
          : setTimeout(() => give(new IoTimeoutError(this.#operation, timeout)), Math.ceil(timeout))
      const waiter: Waiter<T> = {
        resolve,
        reject,
        settle: () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', onAbort)
          this.#waiting.delete(waiter)
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiter)
    })
  }
}
