import { BpfMisuseError } from '../errors/misuse-error.js'
import type { NativePrograms } from './addon.js'
import { calling } from './addon.js'
import { decode, encode, sandboxCount } from './layout.js'

export interface SandboxCounters {
  readonly opens: bigint
  readonly connects: bigint
  readonly sends: bigint
  /** As asked for by the calls. */
  readonly bytesSent: bigint
  /** Payload as it arrived, read or not: TCP's once more when it is sent again. Of Internet sockets. */
  readonly bytesReceived: bigint
  readonly denied: bigint
  /** Denials that no event was made of. */
  readonly lost: bigint
}

interface Entry {
  readonly index: number
  slot: number
  generation: number
}

/** The records of sandboxes, each at its place in one array that is mapped into this process. */
export class Sandboxes {
  readonly #native: NativePrograms
  readonly #now: () => bigint
  readonly #known = new Map<bigint, Entry>()
  /** Used last is used again last. */
  readonly #free = Array.from({ length: sandboxCount }, (_, i) => i)

  constructor(native: NativePrograms, now: () => bigint) {
    this.#native = native
    this.#now = now
  }

  /** Its place; a sandbox that is known must be in that slot already. @throws BpfMisuseError */
  add(sandbox: bigint, slot: number): number {
    const known = this.#known.get(sandbox)
    if (known !== undefined) {
      if (known.slot !== slot)
        throw new BpfMisuseError(
          `sandbox ${sandbox} is in slot ${known.slot}, not in ${slot}: swap changes it for all threads`,
        )
      return known.index
    }
    if (sandbox <= 0n || sandbox >= 1n << 64n) throw new BpfMisuseError(`sandbox ${sandbox}: expected 1 to 2^64 - 1`)
    const index = this.#free.shift()
    if (index === undefined) throw new BpfMisuseError(`there are ${sandboxCount} sandboxes already: remove some`)
    calling(() => {
      this.#native.writeSandbox(index, encode('pyi_sandbox', { id: sandbox, started_ns: this.#now() }))
      this.#native.storeActive(index, slot, 1)
    })
    this.#known.set(sandbox, { index, slot, generation: 1 })
    return index
  }

  swap(sandbox: bigint, slot: number): number {
    const entry = this.#entry(sandbox)
    const generation = (entry.generation + 1) >>> 0
    calling(() => this.#native.storeActive(entry.index, slot, generation))
    entry.slot = slot
    entry.generation = generation
    return generation
  }

  remove(sandbox: bigint): void {
    const { index } = this.#entry(sandbox)
    calling(() => {
      this.#native.storeActive(index, 0, 0)
      this.#native.writeSandbox(index, encode('pyi_sandbox', {}))
    })
    this.#known.delete(sandbox)
    this.#free.push(index)
  }

  counters(sandbox: bigint): SandboxCounters {
    const { index } = this.#entry(sandbox)
    const record = calling(() => this.#native.readSandbox(index))
    const field = (name: 'opens' | 'connects' | 'sends' | 'bytes_sent' | 'bytes_received' | 'denied' | 'lost') =>
      decode('pyi_sandbox', record, name)
    return {
      opens: field('opens'),
      connects: field('connects'),
      sends: field('sends'),
      bytesSent: field('bytes_sent'),
      bytesReceived: field('bytes_received'),
      denied: field('denied'),
      lost: field('lost'),
    }
  }

  /** Of its record. @throws BpfMisuseError */
  indexOf(sandbox: bigint): number {
    return this.#entry(sandbox).index
  }

  has(sandbox: bigint): boolean {
    return this.#known.has(sandbox)
  }

  uses(slot: number): boolean {
    for (const entry of this.#known.values()) if (entry.slot === slot) return true
    return false
  }

  #entry(sandbox: bigint): Entry {
    const entry = this.#known.get(sandbox)
    if (entry === undefined) throw new BpfMisuseError(`there is no sandbox ${sandbox}: label a thread with it first`)
    return entry
  }
}
