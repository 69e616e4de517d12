import { TimeoutError } from '../../errors/timeout-error.js'
import type { Value } from '../../value.js'
import { onAbort } from '../abort.js'
import type { SettledCall } from '../options/call-options.js'
import type { Budget } from '../values/budget.js'
import { decodeValidated, decodeValue } from '../values/decode.js'
import { type Validated, validate } from '../values/validate.js'
import { Fifo } from './fifo.js'

/** What each message counts beside its encoded size: about what an object costs us. */
const messageOverhead = 64

export interface InboxPort {
  pause(): void
  resume(): void
  /** A message that was well-formed turned out to have no meaning. */
  malformed(error: unknown): void
  /** Rejects with the error that says how the sandbox ended, once it has. */
  ended(): Promise<never>
}

export type Received = { readonly value: Value } | undefined

interface Waiter {
  resolve(received: Received): void
  reject(error: unknown): void
}

/**
 * Posted values that wait to be received. They wait as bytes: built values can take a hundred times
 * the room. Beyond `limit` the sandbox is paused, until half of it has been received.
 */
export class Inbox {
  readonly #budget: Budget
  readonly #limit: number
  readonly #port: InboxPort
  readonly #queue = new Fifo<{ payload: Uint8Array; validated: Validated }>()
  readonly #waiters = new Set<Waiter>()
  #bytes = 0
  #posted = 0
  #paused = false
  /** What may arrive beyond the limit, so that a guest blocked in `post()` can be interrupted. */
  #overdraft = 0
  #draining = false
  #closed = false

  constructor(budget: Budget, limit: number, port: InboxPort) {
    this.#budget = budget
    this.#limit = limit
    this.#port = port
  }

  /** Messages so far, and bytes that wait. */
  get posted(): number {
    return this.#posted
  }
  get unreadBytes(): number {
    return this.#bytes
  }
  /** Whether the limit keeps the sandbox from sending. */
  get full(): boolean {
    return this.#bytes >= this.#limit
  }

  /** @throws MalformedError */
  push(payload: Uint8Array): void {
    this.#posted += 1
    const [waiter] = this.#waiters
    if (waiter !== undefined) {
      const value = decodeValue(payload, this.#budget)
      this.#waiters.delete(waiter)
      waiter.resolve({ value })
      return
    }
    const validated = validate(payload, this.#budget)
    if (this.#draining && this.#bytes >= this.#limit + this.#overdraft) return
    this.#queue.push({ payload, validated })
    this.#bytes += payload.length + messageOverhead
    if (this.#bytes >= this.#limit + this.#overdraft && !this.#draining) this.#pause()
  }

  /** Lets a paused sandbox go on for as much as one frame can hold; `settle` takes it back. */
  allowOverdraft(): void {
    this.#overdraft = this.#budget.bytes + messageOverhead
    if (this.#paused && this.#bytes < this.#limit + this.#overdraft) this.#resume()
  }

  /** The sandbox is being ended: it is never paused again, and what finds no room is lost with it. */
  drain(): void {
    this.#draining = true
    this.#overdraft = this.#budget.bytes + messageOverhead
    this.#resume()
  }

  settle(): void {
    this.#overdraft = 0
    if (this.full && !this.#draining) this.#pause()
  }

  /** The next message; `undefined` when the sandbox has ended and none is left. */
  next({ signal, timeout }: SettledCall): Promise<Received> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const head = this.#queue.shift()
    if (head !== undefined) return this.#open(head.payload, head.validated)
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(timeout)
        ? setTimeout(() => {
            const message = `nothing was posted for ${timeout} ms; recv() waits longer with a longer timeout`
            done(() => reject(new TimeoutError(message, { limit: 'recv', ms: timeout })))
          }, timeout)
        : undefined
      const done = (settle: () => void) => {
        this.#waiters.delete(waiter)
        clearTimeout(timer)
        stopListening()
        settle()
      }
      const waiter: Waiter = {
        resolve: (received) => done(() => resolve(received)),
        reject: (error) => done(() => reject(error)),
      }
      this.#waiters.add(waiter)
      const stopListening = onAbort(signal, () => done(() => reject(signal?.reason)))
    })
  }

  /** No more will come; what is here can still be received. */
  close(): void {
    this.#closed = true
    this.#paused = false
    for (const waiter of [...this.#waiters]) waiter.resolve(undefined)
  }

  async #open(payload: Uint8Array, validated: Validated): Promise<Received> {
    this.#bytes -= payload.length + messageOverhead
    if (this.#paused && this.#bytes <= this.#limit / 2) this.#resume()
    try {
      return { value: decodeValidated(payload, validated) }
    } catch (error) {
      this.#port.malformed(error)
      return this.#port.ended()
    }
  }

  #pause(): void {
    if (this.#paused || this.#closed) return
    this.#paused = true
    this.#port.pause()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#port.resume()
  }
}
