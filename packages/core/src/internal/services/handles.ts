import type { ServiceDatagrams, ServiceFile, ServiceStream } from '@pyisolate/interface'
import { ServiceFailure } from './answers.js'
import type { GuestListener, Peer } from './listener.js'

const nothing = new Uint8Array(0)

/**
 * A stream as a guest reads it: what was handed out is kept until the guest says that it has it, as a call that is
 * interrupted loses its answer.
 */
export class GuestStream {
  #unheard: Uint8Array = nothing
  #heard = 0
  #busy = false
  #ended = false

  constructor(readonly stream: ServiceStream) {}

  /** From `received` on, at most `length`; nothing at the end. */
  async receive(received: number, length: number, options: { signal: AbortSignal; timeout: number | undefined }) {
    // What was received by a policy's leave goes with it.
    if (this.stream.revoked) throw new ServiceFailure('EACCES')
    const news = received - this.#heard
    if (news < 0 || news > this.#unheard.length) throw new ServiceFailure('EINVAL')
    if (this.#busy) throw new ServiceFailure('EBUSY')
    this.#heard = received
    this.#unheard = this.#unheard.subarray(news)
    if (this.#unheard.length === 0 && !this.#ended) {
      this.#busy = true
      try {
        const bytes = await this.stream.read(options)
        this.#ended = bytes === undefined
        this.#unheard = bytes ?? nothing
      } finally {
        this.#busy = false
      }
    }
    return this.#unheard.subarray(0, length)
  }
}

/** `by`: the operation that opened it. */
export type GuestHandle = { by: number } & (
  | { readonly kind: 'file'; readonly file: ServiceFile }
  | { readonly kind: 'stream'; readonly guest: GuestStream; readonly from?: GuestListener; readonly peer?: Peer }
  | { readonly kind: 'listener'; readonly listener: GuestListener }
  | { readonly kind: 'datagrams'; readonly datagrams: ServiceDatagrams }
)

/** What one guest has open; as many as it may have descriptors. */
export class GuestHandles {
  readonly #open = new Map<number, GuestHandle>()
  #opening = 0
  #last = 0
  #closed = false

  constructor(private readonly most: number) {}

  get size(): number {
    return this.#open.size
  }

  /** Makes one; what is had when all were closed meanwhile is closed at once. */
  async add(make: () => Promise<GuestHandle>): Promise<number> {
    if (this.#open.size + this.#opening >= this.most) throw new ServiceFailure('EMFILE')
    this.#opening++
    let made: GuestHandle
    try {
      made = await make()
    } finally {
      this.#opening--
    }
    if (this.#closed) {
      await close(made)
      throw new ServiceFailure('EBADF')
    }
    const number = ++this.#last
    this.#open.set(number, made)
    return number
  }

  file(number: number): ServiceFile {
    return this.#find(number, 'file').file
  }

  stream(number: number): GuestStream {
    return this.#find(number, 'stream').guest
  }

  listener(number: number): GuestListener {
    return this.#find(number, 'listener').listener
  }

  datagrams(number: number): ServiceDatagrams {
    return this.#find(number, 'datagrams').datagrams
  }

  #find<K extends GuestHandle['kind']>(number: number, kind: K): Extract<GuestHandle, { kind: K }> {
    const handle = this.#open.get(number)
    if (handle?.kind !== kind) throw new ServiceFailure('EBADF')
    return handle as Extract<GuestHandle, { kind: K }>
  }

  async close(number: number): Promise<void> {
    const handle = this.#open.get(number)
    if (handle === undefined) throw new ServiceFailure('EBADF')
    this.#open.delete(number)
    await close(handle)
    // With it those that it has accepted and nobody has heard of.
    if (handle.kind === 'listener') await Promise.all(handle.listener.end().map((unheard) => this.close(unheard)))
  }

  /** What the operation `by` opened, whose answer the guest did not wait for. Another one may take over what was accepted. */
  async disown(by: number): Promise<void> {
    for (const [number, handle] of this.#open) {
      if (handle.by !== by) continue
      if (handle.kind !== 'stream' || handle.from?.keep(number) !== true) await this.close(number)
      else handle.by = Number.NaN
    }
  }

  /** `number` was accepted, and is now the operation `by`'s. */
  adopt(number: number, by: number): Peer {
    const handle = this.#open.get(number)
    if (handle?.kind !== 'stream' || handle.peer === undefined) throw new ServiceFailure('EBADF')
    handle.by = by
    return handle.peer
  }

  async closeAll(): Promise<void> {
    this.#closed = true
    const all = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(all.map(close))
  }
}

function close(handle: GuestHandle): Promise<void> {
  switch (handle.kind) {
    case 'file':
      return handle.file.close()
    case 'stream':
      return handle.guest.stream.close()
    case 'listener':
      return handle.listener.close()
    case 'datagrams':
      return handle.datagrams.close()
  }
}
