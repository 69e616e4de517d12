import type { ServiceListener, ServiceStream } from '@pyisolate/interface'
import type { Options } from './in-turn.js'

/** A host's number and a port; of a Unix socket's peer its path, and 0. */
export type Peer = readonly [string, number]

/** Instead of a new connection: one that was accepted before, by a call that did not wait for the answer. */
export class Unheard extends Error {
  constructor(readonly handle: number) {
    super('accepted before')
  }
}

/**
 * A listener as a guest accepts from it. A call that is interrupted loses its answer: what it had accepted stays open, and
 * counted, and is the next one's, or at once that of another thread's that waits.
 */
export class GuestListener {
  readonly #listener: ServiceListener
  readonly #unheard: number[] = []
  readonly #waiting = new Set<AbortController>()
  #ended = false

  constructor(listener: ServiceListener) {
    this.#listener = listener
  }

  /** The handle of one that nobody has heard of, if there is one; none any more that a policy has taken away. */
  next(): number | undefined {
    return this.#listener.revoked ? undefined : this.#unheard.shift()
  }

  /** @throws Unheard, or what the engine's `accept` throws */
  async accept({
    signal,
    timeout,
  }: Options): Promise<ServiceStream & { readonly host: string; readonly port: number }> {
    const handed = new AbortController()
    this.#waiting.add(handed)
    try {
      const stream = await this.#listener.accept({ signal: AbortSignal.any([signal, handed.signal]), timeout })
      // It came before the waiting could be given up: the other one is somebody else's.
      if (handed.signal.aborted) this.keep((handed.signal.reason as Unheard).handle)
      return stream
    } catch (error) {
      if (handed.signal.aborted && error !== handed.signal.reason) this.keep((handed.signal.reason as Unheard).handle)
      throw error
    } finally {
      this.#waiting.delete(handed)
    }
  }

  /** `false`: it is closed, and its connections with it. */
  keep(handle: number): boolean {
    if (this.#ended) return false
    const [first] = this.#waiting
    if (first === undefined) {
      this.#unheard.push(handle)
    } else {
      this.#waiting.delete(first)
      first.abort(new Unheard(handle))
    }
    return true
  }

  /** Gives what nobody has heard of. */
  end(): number[] {
    this.#ended = true
    return this.#unheard.splice(0)
  }

  close(): Promise<void> {
    return this.#listener.close()
  }
}
