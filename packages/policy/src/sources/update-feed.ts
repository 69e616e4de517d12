import type { PolicyUpdate } from './policy-source.js'

type Result = IteratorResult<PolicyUpdate, undefined>

/** What a source has published, in the order of the names, and those who read along. */
export class UpdateFeed implements AsyncIterable<PolicyUpdate> {
  readonly #current = new Map<string, PolicyUpdate>()
  readonly #readers = new Set<Reader>()
  #closed = false

  get current(): ReadonlyMap<string, PolicyUpdate> {
    return this.#current
  }

  publish(update: PolicyUpdate): void {
    this.#keep(update)
    for (const reader of this.#readers) reader.push(update)
  }

  /** A name's place doesn't depend on which file was settled first: those behind a new one move there again. */
  #keep(update: PolicyUpdate): void {
    const behind = this.#current.has(update.name)
      ? []
      : [...this.#current.values()].filter(({ name }) => name > update.name)
    this.#current.set(update.name, update)
    for (const one of behind) {
      this.#current.delete(one.name)
      this.#current.set(one.name, one)
    }
  }

  close(): void {
    this.#closed = true
    for (const reader of this.#readers) reader.end()
    this.#readers.clear()
  }

  [Symbol.asyncIterator](): AsyncIterator<PolicyUpdate, undefined> {
    const reader = new Reader((done) => this.#readers.delete(done))
    if (this.#closed) {
      reader.end()
      return reader
    }
    for (const update of this.#current.values()) reader.push(update)
    this.#readers.add(reader)
    return reader
  }
}

/** At most one update of each name waits here, so that a reader who never comes back costs no more than that. */
class Reader implements AsyncIterator<PolicyUpdate, undefined> {
  readonly #pending = new Map<string, PolicyUpdate>()
  readonly #waiting: ((result: Result) => void)[] = []
  #ended = false

  constructor(private readonly onEnd: (reader: Reader) => void) {}

  push(update: PolicyUpdate): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) {
      this.#pending.delete(update.name) // to the end: the order is that of the last changes
      this.#pending.set(update.name, update)
    } else {
      waiter({ done: false, value: update })
    }
  }

  end(): void {
    this.#ended = true
    this.#pending.clear()
    for (const waiter of this.#waiting.splice(0)) waiter({ done: true, value: undefined })
  }

  next(): Promise<Result> {
    const [update] = this.#pending.values()
    if (update !== undefined) {
      this.#pending.delete(update.name)
      return Promise.resolve({ done: false, value: update })
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<Result> {
    this.onEnd(this)
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }
}
