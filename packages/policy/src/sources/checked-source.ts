import { isDeepStrictEqual } from 'node:util'
import type { PolicySource, PolicyUpdate, SourceStatus } from './policy-source.js'
import { PolicySourceError } from './policy-source-error.js'
import { UpdateFeed } from './update-feed.js'

/** What every source shares: one check at a time, its status, its readers, and an end. */
export abstract class CheckedSource<S extends SourceStatus> implements PolicySource<S> {
  protected readonly feed = new UpdateFeed()
  readonly #closing = new AbortController()
  readonly #listeners = new Set<(status: S) => void>()
  #forgetSignal: (() => void) | undefined
  #status: S
  #first: Promise<S> | undefined
  #running: Promise<S> | undefined
  #next: Promise<S> | undefined

  constructor(status: S) {
    this.#status = Object.freeze(status)
  }

  /** Looks once, publishes what is new, and says how things stand. `signal` aborts when the source is closed. */
  protected abstract look(signal: AbortSignal): Promise<Partial<S>>
  /** After every look, and once more, with `true`, at the end: timers and watchers go here. */
  protected abstract rest(closed: boolean): void

  /** Looks for the first time, unless `signal` has aborted already; its abort closes the source. */
  start(signal: AbortSignal | undefined): this {
    const close = (): void => void this.close()
    signal?.addEventListener('abort', close, { once: true })
    this.#forgetSignal = () => signal?.removeEventListener('abort', close)
    if (signal?.aborted) close()
    else void this.check()
    return this
  }

  policies(): ReadonlyMap<string, PolicyUpdate> {
    return this.feed.current
  }

  status(): S {
    return this.#status
  }

  onStatus(listener: (status: S) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  ready(): Promise<S> {
    return this.#first ?? this.check()
  }

  check(): Promise<S> {
    if (this.closed) return Promise.resolve(this.#status)
    if (this.#running === undefined) {
      this.#running = this.#once()
      this.#first ??= this.#running
      return this.#running
    }
    // What is under way may have read before the call: only one that starts later has surely seen what was there.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.check()
    })
    return this.#next
  }

  async close(): Promise<void> {
    if (!this.closed) {
      this.#closing.abort()
      this.#forgetSignal?.()
      this.feed.close()
      this.rest(true)
      this.#report({ ...this.#status, state: 'closed' })
    }
    await this.#running
  }

  [Symbol.asyncIterator](): AsyncIterator<PolicyUpdate> {
    return this.feed[Symbol.asyncIterator]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  protected get closed(): boolean {
    return this.#closing.signal.aborted
  }

  async #once(): Promise<S> {
    const { from } = this.#status
    let found: Partial<SourceStatus>
    try {
      found = await this.look(this.#closing.signal)
    } catch (cause) {
      // A look reports what it expects to go wrong; anything else must not end the program that waits for policies.
      const error = new PolicySourceError('internal', from, 'looking for policies failed', { cause })
      found = { state: 'failing', error }
    }
    this.#running = undefined
    if (this.closed) return this.#status
    this.rest(false)
    this.#report({ ...this.#status, ...found, lastChecked: new Date() })
    return this.#status
  }

  #report(status: S): void {
    const before = this.#status
    this.#status = Object.freeze(status)
    if (isDeepStrictEqual({ ...before, lastChecked: undefined }, { ...status, lastChecked: undefined })) return
    for (const listener of this.#listeners) listener(status)
  }
}

/** A number of milliseconds that Node's timers can wait for. @throws PolicySourceError */
export function milliseconds(
  from: string,
  option: string,
  value: number | undefined,
  otherwise: number,
  min = 1,
): number {
  const ms = value ?? otherwise
  if (typeof ms === 'number' && ms >= min && ms < 2 ** 31) return ms
  throw new PolicySourceError('option', from, `options.${option} is ${String(ms)}`, {
    expected: `milliseconds, from ${min} to ${2 ** 31 - 1}`,
  })
}
